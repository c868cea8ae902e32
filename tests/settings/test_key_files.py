from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.settings.key_files import private_folder, read_or_make

ROOT = Path(__file__).resolve().parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key = read_or_make(tmp_path / "keys" / "master")
    finally:
        os.umask(before)
    assert len(key) == 32
    assert key == read_or_make(tmp_path / "keys" / "master")
    assert key != read_or_make(tmp_path / "keys" / "other")
    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys" / "master") == 0o600
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == ["master", "other"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys" / "master"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match="from a backup"):
        read_or_make(path)
    assert path.read_bytes() == content


def test_many_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: read_or_make(path), range(64)))
    assert len(keys) == 1
    assert [p.name for p in path.parent.iterdir()] == ["master"]


def test_no_moment_shows_the_key_to_others_or_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    link = Path.hardlink_to

    def watched(self: Path, draft: Path) -> None:
        seen.append((mode(draft), draft.stat().st_size))
        link(self, draft)

    monkeypatch.setattr(Path, "hardlink_to", watched)
    read_or_make(tmp_path / "keys" / "master")
    assert seen == [(0o600, 32)]


def test_a_folder_that_was_there_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    folder.chmod(0o755)
    private_folder(folder)
    assert mode(folder) == 0o700


def test_a_folder_of_everybody_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(RuntimeError, match="shared"):
        private_folder(tmp_path)
    assert mode(tmp_path) == 0o1777


def test_the_embedded_installation_closes_its_folders(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "keys").mkdir(parents=True)
    for folder in (var, var / "keys"):
        folder.chmod(0o755)
    subprocess.run(
        [sys.executable, "-c", "import backend.settings.embedded"],
        cwd=ROOT,
        env={**os.environ, "MINDTWIN_VAR": str(var)},
        check=True,
    )
    assert (mode(var), mode(var / "keys")) == (0o700, 0o700)
    assert {mode(path) for path in (var / "keys").iterdir()} == {0o600}
