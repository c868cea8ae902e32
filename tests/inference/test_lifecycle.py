"""Publishing, verifying and retiring versions as files; faults: test_seeded_faults."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from backend.inference import lifecycle
from backend.inference.catalogue import read_catalogue
from backend.inference.embedded import EmbeddedServer
from backend.inference.lifecycle import publish, retire, verify
from backend.inference.validation import Report
from backend.twin.errors import ModelRefused, ModelUntrusted
from tests.inference.candidates import (
    KEY,
    TRANSFORMER,
    TREES,
    TRUSTED,
    candidate,
    edit_card,
)
from tests.versions import SHIPPED_MODELS, numbers


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No checks: what is tested is where files go."""
    monkeypatch.setattr(lifecycle, "validate", lambda *_, **__: Report(0.0, 1.0))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "repository"


def put(repository: Path, folder: Path, version: int | None = None) -> int:
    found = publish(
        folder, repository=repository, key=KEY, trusted=TRUSTED, version=version
    )
    return found.version


def test_a_first_version_brings_its_configuration_and_answers(
    repository: Path, tmp_path: Path
) -> None:
    folder = candidate(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    found = publish(folder, repository=repository, key=KEY, trusted=TRUSTED)
    assert (found.model, found.version, found.verified) == (TRANSFORMER, 1, True)
    assert found.path == repository / TRANSFORMER / "1"
    assert found.card["version"] == 1
    assert {p.name for p in (repository / TRANSFORMER).iterdir()} == {
        "1",
        "config.pbtxt",
    }
    text = (repository / TRANSFORMER / "config.pbtxt").read_text()
    assert text == (SHIPPED_MODELS / TRANSFORMER / "config.pbtxt").read_text()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    EmbeddedServer(repository, trusted=TRUSTED).canary(TRANSFORMER, 1)


@pytest.mark.usefixtures("quick")
def test_servers_of_another_account_may_read_a_version(
    repository: Path, tmp_path: Path
) -> None:
    """However careful the account that publishes is with its other files."""
    before = os.umask(0o077)
    try:
        put(repository, candidate(tmp_path))
        put(repository, candidate(tmp_path / "again"))
        retire(repository, TRANSFORMER, 1)
    finally:
        os.umask(before)
    places = [repository, *repository.rglob("*")]
    assert len(places) == 14
    for place in places:
        wanted = 0o755 if place.is_dir() else 0o644
        assert stat.S_IMODE(place.stat().st_mode) == wanted, place


@pytest.mark.usefixtures("quick")
def test_a_folder_that_was_there_keeps_its_permissions(
    repository: Path, tmp_path: Path
) -> None:
    repository.mkdir(mode=0o750)
    put(repository, candidate(tmp_path))
    assert stat.S_IMODE(repository.stat().st_mode) == 0o750


@pytest.mark.usefixtures("quick")
def test_numbers_rise_and_none_is_given_twice(repository: Path, tmp_path: Path) -> None:
    folder = candidate(tmp_path)
    assert [put(repository, folder) for _ in range(2)] == [1, 2]
    retire(repository, TRANSFORMER, 2)
    assert put(repository, folder) == 3
    assert put(repository, folder, version=10) == 10
    with pytest.raises(ModelRefused, match="version 10 is there already"):
        put(repository, folder, version=7)
    assert numbers(repository, TRANSFORMER) == [1, 3, 10]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("version", [0, -1, 2**31])
def test_a_number_that_databases_do_not_take_is_refused(
    repository: Path, tmp_path: Path, version: int
) -> None:
    with pytest.raises(ModelRefused, match="numbers are 1 to 2147483647"):
        put(repository, candidate(tmp_path), version=version)
    assert put(repository, candidate(tmp_path / "b"), version=2**31 - 1) == 2**31 - 1
    with pytest.raises(ModelRefused, match="numbers are 1 to 2147483647"):
        put(repository, candidate(tmp_path / "c"))


@pytest.mark.usefixtures("quick")
def test_folders_that_are_no_versions_do_not_count(
    repository: Path, tmp_path: Path
) -> None:
    for name in ("3.bak", "007", "99999999999", "7 old"):
        (repository / TRANSFORMER / name).mkdir(parents=True)
    assert put(repository, candidate(tmp_path)) == 1


@pytest.mark.usefixtures("quick")
def test_a_tuned_configuration_stays(repository: Path, tmp_path: Path) -> None:
    folder = candidate(tmp_path)
    put(repository, folder)
    path = repository / TRANSFORMER / "config.pbtxt"
    path.write_text(path.read_text().replace("count: 1", "count: 2"))
    tuned = path.read_text()
    put(repository, folder)
    assert path.read_text() == tuned


def test_a_published_version_may_be_published_again_under_a_new_number(
    repository: Path, tmp_path: Path
) -> None:
    """Its manifest is left behind: it signs another number."""
    put(repository, candidate(tmp_path))
    assert put(repository, repository / TRANSFORMER / "1") == 2
    assert all(found.verified for found in read_catalogue(repository, trusted=TRUSTED))


@pytest.mark.usefixtures("quick")
def test_a_retired_version_is_out_of_sight_and_kept(
    repository: Path, tmp_path: Path
) -> None:
    folder = candidate(tmp_path)
    for _ in range(2):
        put(repository, folder)
    before = (repository / TRANSFORMER / "1" / "model.onnx").read_bytes()
    place = retire(repository, TRANSFORMER, 1)
    assert (place / "model.onnx").read_bytes() == before
    versions = [found.version for found in read_catalogue(repository, trusted=TRUSTED)]
    assert versions == [2]
    for model, version in ((TRANSFORMER, 1), (TRANSFORMER, 9), ("nothing", 1)):
        with pytest.raises(ModelRefused, match=f"{model}: there is no version"):
            retire(repository, model, version)
    assert not (repository / "nothing").exists()


@pytest.mark.usefixtures("quick")
def test_what_a_killed_publish_left_is_swept_away(
    repository: Path, tmp_path: Path
) -> None:
    folder = candidate(tmp_path)
    put(repository, folder)
    left = repository / TRANSFORMER / ".new-abc"
    shutil.copytree(folder, left)
    (repository / TRANSFORMER / ".new-config.pbtxt").touch()
    assert put(repository, folder) == 2
    assert not list((repository / TRANSFORMER).glob(".new-*"))


@pytest.mark.usefixtures("quick")
def test_a_first_version_that_fails_leaves_no_model(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it failed as late as the configuration was written."""

    folder = candidate(tmp_path)
    real = lifecycle._config

    def make_then_fail(*given: Any) -> None:
        real(*given)
        raise OSError("no space left")

    monkeypatch.setattr(lifecycle, "_config", make_then_fail)
    with pytest.raises(OSError, match="no space left"):
        put(repository, folder)
    assert list(repository.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_two_who_publish_at_once_get_two_numbers(
    repository: Path, tmp_path: Path
) -> None:
    folder, found = candidate(tmp_path), []
    threads = [
        threading.Thread(target=lambda: found.append(put(repository, folder)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [1, 2, 3, 4]


def test_verifying_says_what_is_wrong_with_which_version(
    repository: Path, tmp_path: Path
) -> None:
    for model in (TRANSFORMER, TREES):
        put(repository, candidate(tmp_path, model))
    assert {found.problem for found in verify(repository, TRUSTED)} == {None}
    (repository / TREES / "1" / "extra").touch()
    problems = {found.model: found.problem for found in verify(repository, TRUSTED)}
    assert problems == {
        TRANSFORMER: None,
        TREES: "symptom_xgboost/1: extra was added after signing",
    }


def test_other_inputs_need_another_name(repository: Path, tmp_path: Path) -> None:
    """A model's configuration is one for all its versions."""
    put(repository, candidate(tmp_path))
    trees = candidate(tmp_path, TREES)
    edit_card(lambda card: card.update(model=TRANSFORMER))(trees)
    with pytest.raises(ModelUntrusted, match="inputs are not those of"):
        put(repository, trees)
    card = json.loads((repository / TRANSFORMER / "1" / "card.json").read_text())
    assert card["model"] == TRANSFORMER
    assert numbers(repository, TRANSFORMER) == [1]
