"""The quality gates of a promotion: pure functions over model cards.

A card is signed, so what it says was said by whoever published it; a gate decides
whether that is enough to answer for patients. Whatever is missing or is no finite
number fails its gate. Nothing here measures anything anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from backend.twin.calibration import UNFITTED, constants
from backend.twin.correlation import model_inputs
from backend.twin.features import schema_hash

PEOPLE = 1_000  # on 200 held-out people a model passes too easily
COVERAGE_POINTS = 0.05  # a share; what is left over the blend's calibration moves
CALIBRATION_ERROR = 0.02  # of p(link), expected
LARGEST_TOLERANCE = 1e-3  # z units; a card may not forgive itself more

Card = Mapping[str, Any]


class Refusal(NamedTuple):
    """One gate that did not open: its word for the audit log, and why in words."""

    gate: str
    reason: str


def refusals(card: Card, *, champion: Card | None) -> tuple[Refusal, ...]:
    """Every gate that this card fails, `champion` being production's own card, if any.

    Empty: nothing is held against the promotion.
    """
    found = [(gate, check(card)) for gate, check in _gates_of(card).items()]
    if champion is not None:
        better = _link_champion if _is_of_links(card) else _champion
        found.append(("champion", better(card, champion)))
    return tuple(Refusal(gate, reason) for gate, reason in found if reason)


def other_features(card: Card) -> str:
    """Why nobody here can ask the model: its inputs are others; empty if they fit."""
    return _gates_of(card)["features"](card)


def uncalibrated(versions: Mapping[str, int]) -> Refusal | None:
    """Whether nobody fitted a calibration for these very versions together."""
    if constants(versions) != UNFITTED:
        return None
    named = ", ".join(f"{model} {number}" for model, number in sorted(versions.items()))
    return Refusal(
        "calibration",
        f"forecasts would not be calibrated: no constants were fitted for {named}",
    )


def _is_of_links(card: Card) -> bool:
    return bool(card.get("model") == model_inputs.MODEL)


def _gates_of(card: Card) -> Mapping[str, Callable[[Card], str]]:
    return _LINK_GATES if _is_of_links(card) else _GATES


def _features(card: Card) -> str:
    same = card.get("feature_schema_hash") == schema_hash()
    return "" if same else "it was trained on other features than are computed here"


def _link_features(card: Card) -> str:
    same = card.get("feature_schema_hash") == model_inputs.schema_hash()
    return "" if same else "it was trained on other features than are computed here"


def _engine(card: Card) -> str:
    """Better calibrated than the engine that it corrects, and no worse at ranking."""
    ece, auc = (_number(card, "metrics", "model", one) for one in ("ece", "auc"))
    if ece < _number(card, "metrics", "engine", "ece") and auc >= _number(
        card, "metrics", "engine", "auc"
    ):
        return ""
    return "it does not beat the engine without a network"


def _calibrated(card: Card) -> str:
    if _number(card, "metrics", "model", "ece") <= CALIBRATION_ERROR:
        return ""
    return f"its p(link) is off by more than {CALIBRATION_ERROR} on average"


def _link_coverage(card: Card) -> str:
    for name in ("ci90", "lag90"):
        covered = _number(card, "metrics", "model", name)
        if not abs(covered - 0.9) <= COVERAGE_POINTS:  # NaN, too
            return f"its 90 % intervals ({name}) are off by more than 5 points"
    return ""


def _climatology(card: Card) -> str:
    """Better than the fallback beyond chance: the whole interval of the gain."""
    low = _number(card, "metrics", "crps_gain_percent", "low")
    said = _at(card, "beats_climatology", "daily") is True
    if said and low > 0:
        return ""
    return "it does not beat the climatology by more than chance"


def _people(card: Card) -> str:
    people = _number(card, "metrics", "people")
    return "" if people >= PEOPLE else f"it was measured on fewer than {PEOPLE} people"


def _coverage(card: Card) -> str:
    for name, nominal in (("coverage_80", 0.80), ("coverage_95", 0.95)):
        off = abs(_number(card, "metrics", "model", name) - nominal)
        if not off <= COVERAGE_POINTS:  # NaN, too
            return (
                f"its {nominal:.0%} interval is off by more than "
                f"{COVERAGE_POINTS * 100:g} points"
            )
    return ""


def _parity(card: Card) -> str:
    """The graph answers what the training framework answered."""
    tolerance = _number(card, "parity", "tolerance")
    if _number(card, "parity", "max_abs") <= tolerance <= LARGEST_TOLERANCE:
        return ""
    return "its graph differs from the trained model beyond the tolerance"


def _sources(card: Card) -> str:
    """Each source attribute says something, or why it cannot."""
    attributes = _at(card, "source_attributes") or {}
    silent = sum(not _says(one) for one in attributes.values())
    if attributes and not silent:
        return ""
    return f"source attributes without a word or a reason: {silent or 'all'}"


def _champion(card: Card, champion: Card) -> str:
    """Not worse than production by more than noise, on the very same people.

    The rule: the candidate's CRPS gain over the climatology must reach the low end of
    the interval of production's own gain. Both were measured on the same people, so
    what they share cancels and the noise of the difference is smaller than that
    interval; within it nobody can tell which of the two is better. Promotions that each
    lose a little end at the climatology's gate, which does not move.
    """
    if _people_of(card) != _people_of(champion):
        return "it was not measured on the same people as production"
    gain = _number(card, "metrics", "crps_gain_percent", "mean")
    if gain >= _number(champion, "metrics", "crps_gain_percent", "low"):
        return ""
    return "its CRPS is worse than production's by more than chance"


def _link_champion(card: Card, champion: Card) -> str:
    """Not worse than production's log score on the very same pairs."""
    same = [
        [_at(one, "metrics", n) for n in ("data", "pairs", "engine")]
        for one in (card, champion)
    ]
    if same[0] != same[1]:
        return "it was not measured on the same people as production"
    score, other = (
        _number(one, "metrics", "model", "log_score") for one in (card, champion)
    )
    return "" if score <= other else "its p(link) is worse than production's"


def _people_of(card: Card) -> list[Any]:
    """What tells held-out people apart. The climatology learns nothing, so its CRPS is
    another one exactly where the same seed drew other people.
    """
    known = _at(card, "metrics", "climatology", "crps_z")
    return [_at(card, "metrics", one) for one in ("data", "seed", "people")] + [known]


def _says(attribute: Any) -> bool:
    if isinstance(attribute, Mapping):
        return any(_says(one) for one in attribute.values())
    return bool(str(attribute or "").strip())


def _number(card: Card, *path: str) -> float:
    """A finite number of the card; NaN, which fails each comparison, where is none."""
    found = _at(card, *path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return math.nan
    return float(found) if math.isfinite(found) else math.nan


def _at(card: Card, *path: str) -> Any:
    found: Any = card
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


_GATES: Mapping[str, Callable[[Card], str]] = {
    "features": _features,
    "people": _people,
    "climatology": _climatology,
    "coverage": _coverage,
    "parity": _parity,
    "sources": _sources,
}
_LINK_GATES: Mapping[str, Callable[[Card], str]] = {
    "features": _link_features,
    "people": _people,
    "engine": _engine,
    "calibrated": _calibrated,
    "coverage": _link_coverage,
    "parity": _parity,
    "sources": _sources,
}
