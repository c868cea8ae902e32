"""One overall recommendation per medicine: stops first, then sources, then the model.

The most restrictive word counts. Sources that differ stay side by side among the
reasons. That nobody says anything is an answer of its own, and not "standard".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.advice_table import Action
from backend.twin.pharmacogenomics.gene_result import (
    INDETERMINATE,
    NO_RESULT,
    NOT_SCORED,
)
from backend.twin.pharmacogenomics.response import Response, ResponsePolicy
from backend.twin.pharmacogenomics.safety import Stop

Overall = Action | Literal["unknown"]
Caution = Literal["low", "medium", "high"]
DISCLAIMER = (
    "Genes are one of many factors in the choice and dose of a medicine: clinical "
    "judgment remains essential."
)
# Keys of a gene that was called and whose function nobody can tell.
_UNCLEAR = frozenset({INDETERMINATE, NOT_SCORED})
STOPPED = "stopped before any score is looked at"
# From what binds least to what binds most. Where one source raises a dose that another
# leaves as it is, it is left as it is.
_BINDING: tuple[Action, ...] = (
    "no_recommendation",
    "increased_dosing",
    "standard_dosing",
    "careful_monitoring",
    "reduced_dosing",
    "consider_alternative",
)
RESTRICTING = frozenset(_BINDING[3:])
_OF_STOP: dict[str, Action] = {
    "stop": "consider_alternative",
    "caution": "careful_monitoring",
}
_WORDS: dict[Overall, str] = {
    "no_recommendation": "No source has a recommendation: that is not the same as "
    "standard dosing",
    "increased_dosing": "A higher dose than usual",
    "standard_dosing": "The usual dose",
    "careful_monitoring": "Close monitoring",
    "reduced_dosing": "A lower dose than usual",
    "consider_alternative": "Consider an alternative",
    "unknown": "The catalogue of medicines does not know it: nothing of it was checked",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One word on the medicine: whose ("stop", a source, "response model"), and why.

    `action` is what it asks for by itself.
    """

    by: str
    action: Action
    text: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The overall word on one medicine, and what it rests on.

    `reasons`: the gravest first. `differing`: the sources, with their actions, where
    they do not say the same. `missing`: genes that a source asks for and that have no
    result. `needs`: other facts that nobody knows and that would decide. `response` is
    the model's answer where it is reported; `withheld` says why it is not.
    """

    medication: str
    action: Overall
    caution: Caution
    rationale: str
    reasons: tuple[Reason, ...] = ()
    is_stopped: bool = False
    differing: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    response: Response | None = None
    withheld: str = ""

    @property
    def advised_against(self) -> bool:
        """Whether a stop or a source, not the model alone, asks for an alternative."""
        return any(
            one.action == "consider_alternative" and one.by != "response model"
            for one in self.reasons
        )


def binding(actions: Iterable[Action]) -> Action:
    """The one that binds most; "no_recommendation" of none."""
    return max(actions, key=_BINDING.index, default="no_recommendation")


def recommend(
    medication: str, lines: Sequence[Advice], stops: Sequence[Stop]
) -> Recommendation:
    """The word on `medication` by its own `lines` of advice and its own `stops`."""
    said = _by_source(lines)
    heard = set(said.values()) - {"no_recommendation"}
    reasons = [
        Reason("stop", _OF_STOP[one.severity], one.text)
        for one in stops
        if one.severity in _OF_STOP
    ]
    reasons += _of_sources(lines)
    words = [*said.values(), *(one.action for one in reasons if one.by == "stop")]
    watch = any(one.severity == "monitor" and not one.needs for one in stops)
    unclear = any(_UNCLEAR.intersection(one.genes.values()) for one in lines)
    made = Recommendation(
        medication=medication,
        action=binding(words),
        caution="medium" if watch or unclear else "low",
        rationale="",
        reasons=_gravest_first(reasons),
        is_stopped=any(one.severity == "stop" for one in stops),
        differing=_side_by_side(said) if len(heard) > 1 else (),
        missing=_missing(lines),
        needs=tuple(dict.fromkeys(need for one in stops for need in one.needs)),
    )
    return _worded(made)


def not_known(medication: str) -> Recommendation:
    """The word on what the catalogue does not know, as it was asked for."""
    return Recommendation(medication, "unknown", "high", f"{_WORDS['unknown']}.")


def with_response(
    made: Recommendation, response: Response | None, policy: ResponsePolicy
) -> Recommendation:
    """The same with the model's word, which only ever binds more; or why without it."""
    if made.is_stopped or made.action == "unknown":
        why = STOPPED if made.is_stopped else "the medicine is not known"
        return replace(made, withheld=why)
    if response is None:
        return replace(made, withheld="the model does not answer for this medicine")
    if not response.confidence >= policy.least_confidence:
        why = (
            f"confidence {response.confidence:.2f} is below "
            f"{policy.least_confidence:.2f}"
        )
        return replace(made, withheld=why)
    reasons = _of_model(response, policy)
    words: list[Action] = [one.action for one in reasons]
    return _worded(
        replace(
            made,
            action=binding([made.action, *words]),
            reasons=_gravest_first([*made.reasons, *reasons]),
            response=response,
        )
    )


def _of_model(response: Response, policy: ResponsePolicy) -> list[Reason]:
    found = []
    if response.efficacy < policy.least_efficacy:
        text = (
            f"The model expects a response with a probability of "
            f"{response.efficacy:.2f}, below {policy.least_efficacy:.2f}."
        )
        found.append(Reason("response model", "consider_alternative", text))
    for one in response.side_effects:
        if one.risk > policy.most_risk:
            text = (
                f"The model's risk of {one.name.replace('_', ' ')} is {one.risk:.2f}, "
                f"above {policy.most_risk:.2f}."
            )
            found.append(Reason("response model", "careful_monitoring", text))
    return found


def _by_source(lines: Sequence[Advice]) -> dict[str, Action]:
    """Each source's word over its guidelines; over what is open, the most binding."""
    groups: dict[tuple[str, str], set[Action]] = {}
    for line in lines:
        groups.setdefault((line.source, line.guideline), set()).add(line.action)
    said: dict[str, Action] = {}
    for (source, _), actions in groups.items():
        said[source] = binding([said.get(source, "no_recommendation"), _one(actions)])
    return said


def _one(actions: set[Action]) -> Action:
    """Of one guideline: nothing, where its answer hangs on what is not known.

    A possible restriction counts; a possible "standard" beside "nothing" does not.
    """
    if len(actions) == 1 or actions & RESTRICTING:
        return binding(actions)
    return "no_recommendation"


def _of_sources(lines: Sequence[Advice]) -> list[Reason]:
    found = (
        Reason(one.source, one.action, one.rationale)
        for one in lines
        if one.action != "no_recommendation"
    )
    return list(dict.fromkeys(found))


def _side_by_side(said: dict[str, Action]) -> tuple[str, ...]:
    return tuple(
        f"{source}: {action}"
        for source, action in said.items()
        if action != "no_recommendation"
    )


def _missing(lines: Sequence[Advice]) -> tuple[str, ...]:
    found = (
        gene for one in lines for gene, key in one.genes.items() if key == NO_RESULT
    )
    return tuple(sorted(set(found)))


def _gravest_first(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda one: -_BINDING.index(one.action)))


def _worded(made: Recommendation) -> Recommendation:
    """With its caution and its words; a caution once stated is kept."""
    if made.action == "consider_alternative":
        caution: Caution = "high"
    elif made.action in RESTRICTING or made.differing or made.missing:
        caution = "medium"
    else:
        caution = made.caution
    return replace(made, caution=caution, rationale=" ".join(_sentences(made)))


def _sentences(made: Recommendation) -> Iterable[str]:
    deciding = [one.by for one in made.reasons if one.action == made.action]
    by = " and ".join(dict.fromkeys(deciding))
    yield f"{_WORDS[made.action]}{f', by {by}' if by else ''}."
    if made.is_stopped:
        texts = [one for one in made.reasons if one.by == "stop"]
        yield f"Do not use: {texts[0].text}"
    if made.differing:
        yield f"Sources differ ({'; '.join(made.differing)}): what binds most counts."
    if made.missing:
        yield (f"No result for {', '.join(made.missing)}: neither normal nor negative.")
    if made.needs:
        yield f"Not known: {'; '.join(made.needs)}."
