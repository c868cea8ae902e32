"""The safety rules: which medicine, under what, how grave, and by which source."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from backend.twin.pharmacogenomics.drugs import Drug, drugs
from backend.twin.pharmacogenomics.safety_facts import (
    AgeIs,
    GeneIs,
    Has,
    Question,
    Takes,
    TakesThat,
    Used,
)

Severity = Literal["stop", "caution", "monitor"]
_NEEDED = {"drugs", "severity", "text", "source", "when"}
_FIELDS = _NEEDED | {"unknown", "both_ways", "verified"}
_UNREAD = "; from memory, not checked at its source"


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """A row: it speaks of a medicine of `drugs` where all of `when` hold.

    `unknown` is how grave it is where one of `when` is not known. `both_ways`: it also
    speaks of a medicine to be added to one of `drugs` that is taken already. `source`
    says so where it was not read again.
    """

    code: str
    drugs: tuple[str, ...]
    severity: Severity
    text: str
    source: str
    when: tuple[Question, ...]
    unknown: Severity = "monitor"
    both_ways: bool = False


@cache
def safety_rules() -> tuple[SafetyRule, ...]:
    """Every row of `tables/safety.toml`, read once. Raises ValueError if wrong."""
    text = files("backend.twin.tables").joinpath("safety.toml").read_text("utf-8")
    return read_safety(text)


@cache
def rules_about(drug: Drug) -> tuple[SafetyRule, ...]:
    """The rows that speak of a medicine, in the table's order."""
    return tuple(rule for rule in safety_rules() if drug.is_one_of(rule.drugs))


def read_safety(text: str) -> tuple[SafetyRule, ...]:
    """Rows out of TOML text; the block `words` names the concepts asked for.

    Raises ValueError, naming the row, where a field is missing or unknown, a severity
    is none, a medicine, class or concept is not known, or words are for nothing.
    """
    blocks = tomllib.loads(text)
    words = blocks.pop("words", {})
    made = tuple(_rule(code, block, words) for code, block in blocks.items())
    asked = {
        one
        for rule in made
        for question in rule.when
        if isinstance(question, Has)
        for one in question.concepts
    }
    if asked != words.keys():
        odd = ", ".join(sorted(asked ^ words.keys()))
        raise ValueError(f"safety.toml: words and concepts asked for differ: {odd}")
    return made


def _rule(code: str, block: Mapping[str, Any], words: Mapping[str, str]) -> SafetyRule:
    """One row; `Any` because TOML is typed by what is asked of it here."""
    if not _NEEDED <= block.keys() <= _FIELDS:
        raise ValueError(
            f"safety.toml [{code}]: fields are {', '.join(sorted(_FIELDS))}"
        )
    given = dict(block)
    unread = "" if given.pop("verified", True) else _UNREAD
    try:
        given["when"] = tuple(_question(one, words) for one in block["when"])
        given["drugs"] = tuple(block["drugs"])
        made = SafetyRule(code=code, **given)
    except (KeyError, TypeError) as error:
        raise ValueError(f"safety.toml [{code}]: {error}") from error
    _check(made)
    return replace(made, source=made.source + unread)


def _question(asked: Mapping[str, Any], words: Mapping[str, str]) -> Question:
    """What one inline table asks. Raises KeyError on what no reader could mean."""
    kind = next(one for one in (*_KINDS, "") if one in asked or not one)
    return _KINDS[kind](asked, words)


def _has(asked: Mapping[str, Any], words: Mapping[str, str]) -> Question:
    concepts = tuple(asked["has"])
    return Has(concepts, " or ".join(words[one] for one in concepts))


_KINDS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], Question]] = {
    "gene": lambda asked, _: GeneIs(asked["gene"], tuple(asked["is"])),
    "has": _has,
    "age_from": lambda asked, _: AgeIs(least=asked["age_from"]),
    "age_below": lambda asked, _: AgeIs(below=asked["age_below"]),
    "takes": lambda asked, _: Takes(tuple(asked["takes"])),
    "inhibitor_of": lambda asked, _: TakesThat(
        asked["inhibitor_of"], "inhibitor", asked["least"]
    ),
    "inducer_of": lambda asked, _: TakesThat(
        asked["inducer_of"], "inducer", asked["least"]
    ),
    "used": lambda asked, _: Used(asked["used"]),
    "used_but": lambda asked, _: Used(asked["used_but"], but=True),
}


def _check(made: SafetyRule) -> None:
    named = [*made.drugs]
    for question in made.when:
        named += question.selectors if isinstance(question, Takes) else ()
    odd = [
        one for one in named if not any(d.is_one_of([one]) for d in drugs().values())
    ]
    wrong = {
        f"severities are {', '.join(get_args(Severity))}": not {
            made.severity,
            made.unknown,
        }
        <= set(get_args(Severity)),
        f"no such medicine or class: {', '.join(odd)}": bool(odd),
        "a text and a source": not (made.text and made.source),
    }
    for why, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(f"safety.toml [{made.code}]: {why}")
