"""The Dockerfile, read line by line: no engine is needed."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
FROM = re.compile(r"(\S+) AS (\S+)")


def instructions() -> list[tuple[str, str, str]]:
    """Stage, instruction and arguments, with continued lines joined."""
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found, stage = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = FROM.fullmatch(rest)[2]  # type: ignore[index]
        found.append((stage, word, " ".join(rest.split())))
    return found


LINES = instructions()
COPIES = [
    (stage, *rest.split())
    for stage, word, rest in LINES
    if word == "COPY" and "--from" not in rest
]
SOURCES = [source for _, *sources, _ in COPIES for source in sources]


def of(stage: str, word: str) -> list[str]:
    return [rest for its, found, rest in LINES if (its, found) == (stage, word)]


def test_only_known_instructions() -> None:
    known = {
        "FROM",
        "ENV",
        "RUN",
        "COPY",
        "WORKDIR",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {word for _, word, _ in LINES} <= known
    assert {stage for stage, *_ in LINES} == {"packages", "site", "triton"}


def test_base_images_are_pinned() -> None:
    for _, word, rest in LINES:
        if word == "FROM":
            image = FROM.fullmatch(rest)
            assert image
            assert re.search(r":\d+\.\d+[\w.-]*$", image[1])


@pytest.mark.parametrize("stage", ["site", "triton"])
def test_nothing_runs_as_root(stage: str) -> None:
    assert of(stage, "USER")[-1] not in {"root", "0", "0:0"}


def test_the_runtime_alone_is_installed_at_the_known_versions() -> None:
    (install,) = [rest for rest in of("packages", "RUN") if "pip install" in rest]
    assert "-c constraints.txt" in install
    assert re.findall(r"'\.\[(.*?)\]'", install) == ["production"]
    assert "--no-cache-dir" in install
    for _, _, rest in LINES:
        assert not re.search(r"torch|xgboost|pandas|\btrain\b", rest)


def test_triton_keeps_one_backend() -> None:
    removal = " ".join(of("triton", "RUN"))
    assert "/opt/tritonserver/backends" in removal
    assert re.findall(r"! -name (\S+)", removal) == ["onnxruntime"]


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_copied_exists_and_is_meant(source: str) -> None:
    assert (ROOT / source).exists()
    assert Path(source).parts[0] not in {
        ".",
        ".git",
        "tests",
        "var",
        "model_repository",
        "export_scripts",
    }
    assert sent(source)


def sent(path: str) -> bool:
    """Whether .dockerignore lets a path into the build: the last match decides."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = Path(path).parts
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        hit = any(fnmatch(one, pattern) for one in above) or (
            "**/" in line and any(fnmatch(part, pattern) for part in parts)
        )
        kept = line.startswith("!") if hit else kept
    return kept


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".triton/bin/python",
        "var/mindtwin.sqlite3",
        "var/keys/master",
        "tests/conftest.py",
        "model_repository/a/1/model.onnx",
        "docker/.env",
        "docker/compose.yml",
        "backend/twin/__pycache__/x.pyc",
        "backend/.env",
    ],
)
def test_the_build_does_not_see(path: str) -> None:
    assert not sent(path)


def test_the_start_command_is_gunicorn_without_its_control_socket() -> None:
    command = json.loads(of("site", "CMD")[0])
    assert command[0] == "gunicorn"
    assert "--no-control-socket" in command
    assert command[command.index("--threads") + 1] == "4"
