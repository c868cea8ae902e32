"""The commands that the guides tell an operator to type are commands that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]
WORDS = {
    "MODEL": "symptom_xgboost",
    "PATIENT": "0b0e6a0e-0000-4000-8000-000000000000",
    "PATH": "records",
    "$V": "4",
}


def told(name: str) -> list[str]:
    """What stands behind `manage.py` or compose's `manage` in code of a guide."""
    text = (ROOT / "docs" / name).read_text("utf-8").replace("\\\n", " ")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    blocks = re.findall(r"^ {4,}(\S.*)$", text, flags=re.MULTILINE)
    prose = re.sub(r"^ {4,}\S.*$", "", text, flags=re.MULTILINE)
    lines = [
        " ".join(code.split()) for code in (*blocks, *re.findall(r"`([^`]+)`", prose))
    ]
    found = [re.search(r"(?:manage\.py|--rm manage) (\w.*)", line) for line in lines]
    return sorted({re.split(r"[;|]| {2,}", match[1])[0] for match in found if match})


CASES = [(g, c) for g in ("update-a-model.md", "production.md") for c in told(g)]


@pytest.mark.parametrize(("guide", "command"), CASES)
def test_a_guides_command_is_understood(guide: str, command: str) -> None:
    name, *rest = shlex.split(command)
    for word, meant in WORDS.items():
        rest = [meant if one == word else one.replace(word, meant) for one in rest]
    app = get_commands()[name]
    parser = load_command_class(app, name).create_parser("manage.py", name)
    if rest and rest != ["..."]:
        parser.parse_args(rest)


def test_the_recipe_names_each_step_of_a_models_life() -> None:
    steps = {command.split()[1] for guide, command in CASES if "models " in command}
    life = "validate publish list shadow promote rollback retire verify load"
    assert set(life.split()) <= steps


@pytest.mark.parametrize("guide", ["update-a-model.md", "production.md"])
def test_what_a_guide_makes_can_be_made(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    named = re.findall(r"(?:`|^ {4})make ((?:[a-z]+ ?)+)", text, flags=re.MULTILINE)
    assert {one for line in named for one in line.split()} <= targets
