"""Publishing: what is asked of a candidate first, and who is told before it appears."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.inference import lifecycle
from backend.inference.catalogue import ModelVersion, read_catalogue
from backend.inference.lifecycle import publish
from backend.inference.validation import Report
from backend.twin.errors import ModelUntrusted
from tests.inference.candidates import (
    KEY,
    TRANSFORMER,
    TREES,
    TRUSTED,
    candidate,
    edit_card,
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No checks in a process of their own: what is tested is what lies around them."""
    monkeypatch.setattr(lifecycle, "validate", lambda *_, **__: Report(0.0, 1.0))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "repository"


def put(repository: Path, folder: Path) -> None:
    publish(folder, repository=repository, key=KEY, trusted=TRUSTED)


def _fails(found: ModelVersion) -> None:
    raise OSError("no audit")


def test_who_announces_a_version_comes_before_it_appears(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And sees what will lie there; checked, signed, and named."""
    steps: list[str] = []
    monkeypatch.setattr(lifecycle, "validate", lambda *_, **__: steps.append("checked"))
    folder = candidate(tmp_path)

    def announce(found: ModelVersion) -> None:
        steps.append(f"{found.model}/{found.version} {found.verified}")
        assert not found.path.exists()
        assert read_catalogue(repository, trusted=TRUSTED) == ()

    found = publish(
        folder, repository=repository, key=KEY, trusted=TRUSTED, announce=announce
    )
    assert steps == ["checked", f"{TRANSFORMER}/1 True"]
    assert read_catalogue(repository, trusted=TRUSTED) == (found,)


@pytest.mark.usefixtures("quick")
def test_a_version_that_cannot_be_announced_leaves_nothing(
    repository: Path, tmp_path: Path
) -> None:
    folder = candidate(tmp_path)

    def attempt() -> None:
        with pytest.raises(OSError, match="no audit"):
            publish(
                folder, repository=repository, key=KEY, trusted=TRUSTED, announce=_fails
            )

    attempt()
    assert list(repository.iterdir()) == []
    (repository / TRANSFORMER).mkdir()
    attempt()
    assert list((repository / TRANSFORMER).iterdir()) == []
    put(repository, folder)
    before = sorted(repository.rglob("*"))
    attempt()
    assert sorted(repository.rglob("*")) == before


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 3 << 30)


@pytest.mark.parametrize("name", ["card.json", "model.onnx", "golden.npz"])
@pytest.mark.parametrize(
    ("put_there", "says"),
    [
        (os.mkfifo, "is not a plain file"),
        (_zeros, "is not a plain file"),
        (_sparse, "is larger than"),
        (lambda path: path.mkdir(), "is not a plain file"),
    ],
)
def test_a_candidate_is_looked_at_before_it_is_read(
    tmp_path: Path, name: str, put_there: Callable[[Path], object], says: str
) -> None:
    """Nothing is waited for, nor copied: the repository is not even made."""
    folder, repository = candidate(tmp_path), tmp_path / "repository"
    (folder / name).unlink()
    put_there(folder / name)
    with pytest.raises(ModelUntrusted, match=f"{name} {says}"):
        put(repository, folder)
    assert not repository.exists()


@pytest.mark.usefixtures("quick")
def test_a_card_exchanged_while_it_is_copied_changes_no_other_model(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = candidate(tmp_path), lifecycle._copy

    def exchange(candidate: Path, fresh: Path) -> None:
        edit_card(lambda card: card.update(model=TREES))(candidate)
        real(candidate, fresh)

    monkeypatch.setattr(lifecycle, "_copy", exchange)
    with pytest.raises(ModelUntrusted, match="the card is of another model"):
        put(repository, folder)
    assert list(repository.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no card.json"),
        ("{", "card.json: "),
        ("[]", "card.json: "),
        ("[" * 200_000, "card.json: "),
        ('{"model": "../up"}', "card.json: model: "),
        ('{"model": 3}', "card.json: model: "),
    ],
)
def test_a_candidate_without_a_name_is_refused(
    repository: Path, tmp_path: Path, content: str | None, says: str
) -> None:
    folder = candidate(tmp_path)
    (folder / "card.json").unlink()
    if content is not None:
        (folder / "card.json").write_text(content)
    with pytest.raises(ModelUntrusted, match=says):
        put(repository, folder)
    assert not repository.exists()


def test_a_link_in_a_candidate_is_not_followed(
    repository: Path, tmp_path: Path
) -> None:
    folder = candidate(tmp_path)
    (folder / "golden.npz").rename(tmp_path / "elsewhere")
    (folder / "golden.npz").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelUntrusted, match=r"golden\.npz is not a plain file"):
        put(repository, folder)


def test_a_folder_that_is_not_there_is_no_candidate(
    repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelUntrusted, match=r"no readable card\.json"):
        put(repository, tmp_path / "nowhere")
    assert not repository.exists()
