"""Options held against each other by the response model's figures.

Only over medicines that nothing bars and of which the model's answer is reported; each
other one is listed with the reason. Without the model nothing is ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from backend.twin.pharmacogenomics.advice_table import tables
from backend.twin.pharmacogenomics.drugs import Drug
from backend.twin.pharmacogenomics.inhibitors import actions, is_at_least
from backend.twin.pharmacogenomics.recommendation import Recommendation
from backend.twin.pharmacogenomics.rules import rules

NO_MODEL = "Not ranked: no response model was asked, and without one nothing is made up"
NONE_LEFT = "Not ranked: no option is left that may be compared"
RANKED = "Ranked by a model that simulated outcomes taught, not by trials"
_Score = Callable[[Recommendation], float | None]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An option that is not compared, and why."""

    medication: str
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which options come first, None where none can.

    `optimal_balance`: the greatest efficacy x (1 - highest side-effect risk).
    `regimen`: what an option would make of the genes that medicines of today depend on.
    """

    highest_efficacy: str | None
    lowest_side_effects: str | None
    optimal_balance: str | None
    compared: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    note: str
    regimen: tuple[str, ...] = ()


def compare(options: Sequence[Recommendation]) -> Comparison:
    """The options in the order asked for; of equal ones the first."""
    ranked = [one for one in options if not _why_not(one)]
    was_asked = any(one.response or one.withheld for one in options)
    note = RANKED if ranked else NONE_LEFT
    return Comparison(
        highest_efficacy=_first(ranked, _efficacy),
        lowest_side_effects=_first(ranked, _mildness),
        optimal_balance=_first(ranked, _balance),
        compared=tuple(one.medication for one in ranked),
        left_out=tuple(
            LeftOut(one.medication, why) for one in options if (why := _why_not(one))
        ),
        note=note if was_asked else NO_MODEL,
    )


def on_regimen(options: Iterable[Drug], current: Sequence[Drug]) -> tuple[str, ...]:
    """What adding each option would do to medicines that are taken, in words.

    Of inhibitors that count (moderate or strong) and of medicines that a source has
    advice on by that gene.
    """
    return tuple(
        f"{action.words()}: it would change what is advised on {', '.join(touched)}"
        for option in options
        for gene in rules()
        for action in actions(gene, (option,), "inhibitor")
        if is_at_least(action.counts.strength, "moderate")
        and (touched := [d.name for d in current if d != option and _has(d, gene)])
    )


@cache
def _has(drug: Drug, gene: str) -> bool:
    """Whether any source goes by that gene for the medicine."""
    return any(
        gene in guideline.genes
        for table in tables().values()
        for guideline in table.of(drug.name)
    )


def _why_not(one: Recommendation) -> str:
    if one.response is None and not one.withheld:
        return "no response model was asked"
    if one.withheld:
        return one.withheld
    return "a source advises an alternative" if one.advised_against else ""


def _first(ranked: Sequence[Recommendation], score: _Score) -> str | None:
    scored = [(value, one) for one in ranked if (value := score(one)) is not None]
    if not scored:
        return None
    return max(scored, key=lambda pair: pair[0])[1].medication


def _efficacy(one: Recommendation) -> float | None:
    return one.response.efficacy if one.response else None


def _mildness(one: Recommendation) -> float | None:
    risk = one.response.highest_risk if one.response else None
    return None if risk is None else 1 - risk


def _balance(one: Recommendation) -> float | None:
    efficacy, mildness = _efficacy(one), _mildness(one)
    return None if efficacy is None or mildness is None else efficacy * mildness
