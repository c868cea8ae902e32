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
from backend.twin.pharmacogenomics import response_inputs

PEOPLE = 1_000  # on 200 held-out people a model passes too easily
COVERAGE_POINTS = 0.05  # a share; what is left over the blend's calibration moves
CALIBRATION_ERROR = 0.02  # of a probability, expected
ORACLE_SHARE = 0.8  # of what can be known of a response beyond the medicine alone
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
        better = _CHAMPIONS.get(_model(card), _champion)
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


def _model(card: Card) -> str:
    return str(card.get("model", ""))


def _gates_of(card: Card) -> Mapping[str, Callable[[Card], str]]:
    return _ALL_GATES.get(_model(card), _GATES)


def _features(card: Card) -> str:
    known = _SCHEMAS.get(_model(card), schema_hash)
    same = card.get("feature_schema_hash") == known()
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


def _drug_only(card: Card) -> str:
    """Better than the medicine's own rate beyond chance: the whole interval."""
    if _number(card, "metrics", "auc_gain", "low") > 0:
        return ""
    return "it does not beat the rate of the medicine alone by more than chance"


def _oracle(card: Card) -> str:
    """Most of what the simulated outcomes let anybody know."""
    if _number(card, "metrics", "share_of_oracle") >= ORACLE_SHARE:
        return ""
    return f"it knows less than {ORACLE_SHARE:.0%} of what can be known"


def _outcomes_calibrated(card: Card) -> str:
    """The response and every side effect that the model answers."""
    named = [("response", "metrics", "model", "ece")] + [
        (one, "metrics", "model", "side_effects", one, "ece")
        for one in response_inputs.SIDE_EFFECTS
    ]
    off = [n for n, *way in named if not _number(card, *way) <= CALIBRATION_ERROR]
    if not off:
        return ""
    return f"off by more than {CALIBRATION_ERROR} on average: {', '.join(off)}"


def _finished(card: Card) -> str:
    """A training that was cut short shows that it can be built, not how good it is."""
    if _at(card, "training", "finished") is True:
        return ""
    return "its training was not finished"


def _labelled(card: Card) -> str:
    """Outcomes were simulated, so the card has to say so, and what real ones gave."""
    says = _at(card, "metrics", "label") == "trained on simulated outcomes"
    if says and _number(card, "metrics", "real_world", "auc_high") > 0:
        return ""
    return "it does not say that its outcomes were simulated"


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
    return _log_score(card, champion, ("data", "pairs", "engine"), what="p(link)")


def _response_champion(card: Card, champion: Card) -> str:
    """Not worse than production's log score on the very same records."""
    same = ("data", "people", "seed", "oracle")
    return _log_score(card, champion, same, what="probability of a response")


def _log_score(card: Card, champion: Card, same: tuple[str, ...], *, what: str) -> str:
    known = [[_at(one, "metrics", n) for n in same] for one in (card, champion)]
    if known[0] != known[1]:
        return "it was not measured on the same people as production"
    score, other = (
        _number(one, "metrics", "model", "log_score") for one in (card, champion)
    )
    return "" if score <= other else f"its {what} is worse than production's"


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
    "features": _features,
    "people": _people,
    "engine": _engine,
    "calibrated": _calibrated,
    "coverage": _link_coverage,
    "parity": _parity,
    "sources": _sources,
}
_RESPONSE_GATES: Mapping[str, Callable[[Card], str]] = {
    "features": _features,
    "finished": _finished,
    "label": _labelled,
    "people": _people,
    "drug_only": _drug_only,
    "oracle": _oracle,
    "calibrated": _outcomes_calibrated,
    "parity": _parity,
    "sources": _sources,
}
_ALL_GATES = {
    model_inputs.MODEL: _LINK_GATES,
    response_inputs.MODEL: _RESPONSE_GATES,
}
_CHAMPIONS = {
    model_inputs.MODEL: _link_champion,
    response_inputs.MODEL: _response_champion,
}
_SCHEMAS = {
    model_inputs.MODEL: model_inputs.schema_hash,
    response_inputs.MODEL: response_inputs.schema_hash,
}
