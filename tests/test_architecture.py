"""The limits of the design, checked on the tree itself."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("backend", "fhir_integration", "export_scripts")
OURS = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if "migrations" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
JUNK_DRAWERS = {"utils", "common", "helpers", "base", "manager", "core", "misc"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", OURS + TESTS, ids=named)
def test_no_module_outgrows_a_sitting(path: Path) -> None:
    limit = 350 if "export_scripts" in path.parts else 300
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@pytest.mark.parametrize("path", OURS + TESTS, ids=named)
def test_every_function_fits_on_a_screen(path: Path) -> None:
    long = {node.name: length(node) for node in functions(path) if length(node) > 40}
    assert long == {}


def test_the_typical_function_is_small() -> None:
    lengths = [length(node) for path in OURS for node in functions(path)]
    assert statistics.median(lengths) <= 10


def test_no_junk_drawers() -> None:
    drawers = [
        named(path)
        for path in OURS
        if path.stem in JUNK_DRAWERS and path.parent.name != "settings"
    ]
    assert drawers == []


def test_every_room_says_what_it_is() -> None:
    silent = [
        named(path)
        for path in OURS
        if path.name == "__init__.py"
        and "management" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


@pytest.mark.parametrize("path", OURS, ids=named)
def test_no_broad_except(path: Path) -> None:
    broad = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (
                isinstance(node.type, ast.Name)
                and node.type.id in {"Exception", "BaseException"}
            )
        )
    ]
    assert broad == []


def test_only_the_joint_reads_settings() -> None:
    readers = [
        named(path)
        for path in OURS
        if re.search(r"django\.conf import|django\.conf\.", path.read_text("utf-8"))
    ]
    assert readers == ["backend/wiring.py"]


def test_fhir_models_are_r4b_only() -> None:
    wrong = [
        named(path)
        for path in OURS
        if re.search(r"(from|import) fhir\.resources(?!\.R4B)", path.read_text("utf-8"))
    ]
    assert wrong == []


def test_each_model_is_a_folder_a_script_a_card_and_a_test() -> None:
    folders = {p.name for p in (ROOT / "model_repository").iterdir() if p.is_dir()}
    scripts = {p.stem for p in (ROOT / "export_scripts").glob("*.py")}
    tests = {
        p.stem.removeprefix("test_")
        for p in (ROOT / "tests" / "export_scripts").glob("test_*.py")
    }
    assert folders
    assert folders <= scripts
    assert folders <= tests
    for folder in folders:
        versions = [
            p for p in (ROOT / "model_repository" / folder).iterdir() if p.is_dir()
        ]
        assert versions
        for version in versions:
            assert {p.name for p in version.iterdir()} == {
                "model.onnx",
                "card.json",
                "golden.npz",
                "manifest.json",
            }


def test_every_command_of_the_makefile_is_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*##", makefile, flags=re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in targets if f"make {name}" not in readme] == []


def test_the_version_is_the_changelogs() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "([^"]+)"', project, flags=re.MULTILINE)
    assert version
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{version[1]}]" in changelog


def test_no_registry_host_or_machine_path_is_committed() -> None:
    pattern = re.compile(
        r"https?://[a-z0-9.-]*(?:py"
        r"pi|python"
        r"hosted|npm"
        r"js)[a-z0-9.-]*"
        r"|(?:^|[^A-Za-z0-9._-])/wo"
        r"rk/"
    )
    suffixes = {".py", ".md", ".toml", ".txt", ".yml", ".json", ".pbtxt", ""}
    leaks = [
        named(path)
        for folder in (*ROOMS, "docs", "docker", "tests", "model_repository", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix in suffixes
        and "__pycache__" not in path.parts
        and pattern.search(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert leaks == []
