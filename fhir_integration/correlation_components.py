"""What a link says of itself, component by component; what it does not is left out."""

from __future__ import annotations

from collections.abc import Iterator

from backend.twin.correlation.insights import Insight
from backend.twin.correlation.link import Link
from backend.twin.measures import measures
from backend.twin.scales import known_scales
from fhir_integration import codes
from fhir_integration.elements import concept, quantity, value_range
from fhir_integration.strict_json import Json

_DIARY = "diary:"  # what the key of a diary item begins with
_DAY_HOURS = 24.0
LEAST = 1e-4  # what four decimals can tell from nothing
_Named = tuple[list[tuple[str, str]], str]  # codes with their systems, and a title
_ZERO = {"days": "; 0 is the same day", "nights": "; 0 is the night before the report"}
_MEANINGS = {
    "ci90": "90 % interval of the coefficient",
    "lag": "Time from the signal to the symptom; negative where the symptom is first",
    "lag-interval": "90 % interval of the lag",
    "p-link": "Probability of a direct link, given the other signals",
    "q-value": "Share of false finds among pairs this sure (Benjamini and Hochberg)",
    "p-value-alone": "p-value of the pair without the other signals",
    "n": "Reports of the symptom",
    "n-effective": "Independent reports that these are worth for this pair",
    "coverage": "Share of the signal's hours, or days, that were measured",
}


def components(insight: Insight) -> list[Json]:
    """Of what the link is, its interval, lag, evidence and grade."""
    return [*_pair(insight.link), *_numbers(insight.link), *_judged(insight)]


def signal(link: Link) -> _Named:
    """Codes and title of the body signal; no code for one that no table knows."""
    known = measures().get(link.biometric)
    return (list(known.codes), known.title) if known else ([], link.biometric)


def symptom(link: Link) -> _Named:
    """Code and title of the symptom's scale."""
    known = known_scales().get(link.symptom)
    if known:
        return [(known.system, known.code)], known.title
    if link.symptom.startswith(_DIARY):
        name = link.symptom.removeprefix(_DIARY)
        return [(codes.DIARY, name)], f"Diary item {name}"
    return [], link.symptom


def _pair(link: Link) -> Iterator[Json]:
    for code, (codings, title) in (
        ("predictor", signal(link)),
        ("outcome", symptom(link)),
    ):
        known = [{"system": system, "code": one} for system, one in codings]
        told: Json = {"coding": known, "text": title} if known else {"text": title}
        yield {"code": concept(codes.CORRELATION, code), "valueCodeableConcept": told}


def _numbers(link: Link) -> Iterator[Json]:
    if link.ci is not None:
        yield _of("ci90", valueRange=value_range(link.ci, "1"))
    yield from _lag(link)
    if link.p_link is not None:
        yield _of("p-link", valueQuantity=chance(link.p_link))
    if link.q_value is not None:
        yield _of("q-value", valueQuantity=chance(link.q_value))
    if link.direct is False and link.p_marginal is not None:
        yield _of("p-value-alone", valueQuantity=chance(link.p_marginal))
    yield _of("n", valueInteger=link.n)
    if link.n_eff is not None:
        yield _of("n-effective", valueQuantity=quantity(link.n_eff, "1"))
    yield _of("coverage", valueQuantity=quantity(link.coverage, "1"))


def _lag(link: Link) -> Iterator[Json]:
    """In hours, or in days where no hour can be told."""
    hours = link.lag_unit == "hours"
    unit, size = ("h", 1.0) if hours else ("d", _DAY_HOURS)
    if link.lag_hours is not None:
        lag = _of("lag", valueQuantity=quantity(link.lag_hours / size, unit))
        lag["code"]["text"] += "" if hours else _ZERO[link.lag_unit]
        yield lag
    if link.lag_interval is not None:
        ends = [end / size for end in link.lag_interval]
        yield _of("lag-interval", valueRange=value_range(ends, unit))


def _judged(insight: Insight) -> Iterator[Json]:
    """Direct or not, and the grade."""
    if insight.link.direct is not None:
        kind = "direct" if insight.link.direct else "association"
        yield {
            "code": concept(codes.CORRELATION, "kind"),
            "valueCodeableConcept": concept(codes.CORRELATION, kind),
        }
    yield {
        "code": concept(codes.CORRELATION, "reliability-grade"),
        "valueCodeableConcept": concept(codes.RELIABILITY, insight.grade.value),
    }


def chance(share: float) -> Json:
    """A probability; one that rounds to none, or to certainty, is "<" or ">" of it."""
    made = quantity(share, "1")
    if 0 <= share < LEAST:
        return {**quantity(LEAST, "1"), "comparator": "<"}
    if 1 - LEAST < share <= 1:
        return {**quantity(1 - LEAST, "1"), "comparator": ">"}
    return made


def _of(code: str, **value: object) -> Json:
    told = {**concept(codes.CORRELATION, code), "text": _MEANINGS[code]}
    return {"code": told, **value}
