"""Search in the sandbox EHR: which parameters it knows and how a row matches them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fhir_integration.search_values import alternatives, parts_of_token
from fhir_integration.strict_json import Json
from fhir_integration.times import span

MOST_PER_PAGE = 200
_KNOWN = frozenset(
    {"patient", "subject", "code", "date", "authored", "identifier", "target", "agent"}
    | {"authoredon", "effective", "status", "_id", "_count", "_sort", "_offset"}
)
_DATES = frozenset({"date", "authored", "authoredon", "effective"})
_PREFIXES = frozenset({"eq", "ge", "gt", "le", "lt"})
_SORTS = frozenset({"date", "-date", "_lastUpdated", "-_lastUpdated"})
_EPOCH = (0.0, 0.0)


class BadSearch(ValueError):
    """The search cannot be answered; the text names the parameter, not its value."""


@dataclass(frozen=True, slots=True)
class Row:
    """One version of one resource, with what searches ask for and its JSON as it is."""

    kind: str
    own_id: str
    version: int
    raw: bytes
    updated: str
    patients: frozenset[str]
    identifiers: frozenset[str]
    codes: frozenset[str]
    status: str
    targets: frozenset[str]
    agents: frozenset[str]
    dates: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed search. Tokens of one parameter are alternatives; parameters add up."""

    kind: str
    patient: str | None = None
    identifiers: frozenset[str] | None = None
    target: str | None = None
    agent: str | None = None
    own_ids: frozenset[str] | None = None
    codes: frozenset[str] | None = None
    statuses: frozenset[str] | None = None
    dates: tuple[tuple[str, float, float], ...] = ()
    sort: str = ""
    count: int = 50
    offset: int = 0

    def holds(self, row: Row) -> bool:
        """True if the row answers the search."""
        return (
            (self.patient is None or self.patient in row.patients)
            and _shares(self.identifiers, row.identifiers)
            and (self.target is None or self.target in row.targets)
            and (self.agent is None or self.agent in row.agents)
            and (self.own_ids is None or row.own_id in self.own_ids)
            and _shares(self.codes, row.codes)
            and (self.statuses is None or row.status in self.statuses)
            and all(_in_time(row.dates, asked) for asked in self.dates)
        )


def _shares(asked: frozenset[str] | None, held: frozenset[str]) -> bool:
    return asked is None or not asked.isdisjoint(held)


def _in_time(
    dates: tuple[float, float] | None, asked: tuple[str, float, float]
) -> bool:
    if dates is None:
        return False
    low, high = dates
    prefix, start, end = asked
    return {
        "eq": start <= low and high <= end,
        "ge": high >= start,
        "gt": high > end,
        "le": low <= end,
        "lt": low < start,
    }[prefix]


def parse_query(kind: str, text: str) -> Query:
    """Read the text after "?". Raises BadSearch for what the sandbox does not know."""
    pairs = parse_qsl(text, keep_blank_values=True)
    unknown = {name for name, _ in pairs} - _KNOWN
    if unknown:
        raise BadSearch(f"unknown search parameter: {min(unknown)}")
    last = dict(pairs)
    patient = last.get("patient", last.get("subject"))
    return Query(
        kind=kind,
        patient=None if patient is None else patient.removeprefix("Patient/"),
        identifiers=_asked_tokens(last, "identifier"),
        target=last.get("target"),
        agent=last.get("agent"),
        own_ids=frozenset(last["_id"].split(",")) if "_id" in last else None,
        codes=_asked_tokens(last, "code"),
        statuses=_asked_tokens(last, "status"),
        dates=tuple(_asked_date(value) for name, value in pairs if name in _DATES),
        sort=_sort(last.get("_sort", "")),
        count=min(_number(last, "_count", 50), MOST_PER_PAGE),
        offset=_number(last, "_offset", 0),
    )


def _asked_tokens(values: dict[str, str], name: str) -> frozenset[str] | None:
    """The alternatives as a row spells them."""
    if name not in values:
        return None
    asked = [parts_of_token(one) for one in alternatives(values[name])]
    if any(len(parts) > 2 for parts in asked):
        raise BadSearch(f"{name} has a pipe that is not escaped")
    return frozenset("|".join(parts) for parts in asked)


def _asked_date(value: str) -> tuple[str, float, float]:
    prefix, rest = value[:2], value[2:]
    if prefix not in _PREFIXES:
        prefix, rest = "eq", value
    asked = span(rest)
    if asked is None:
        raise BadSearch("date is not a date")
    return prefix, *asked


def _sort(value: str) -> str:
    if value and value not in _SORTS:
        raise BadSearch("_sort knows date and _lastUpdated")
    return value


def _number(values: dict[str, str], name: str, default: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadSearch(f"{name} is not a number")
    return int(text)


def sorted_rows(rows: Iterable[Row], query: Query) -> list[Row]:
    """In the order asked for, else in the order of writing."""
    found = list(rows)
    if query.sort:
        by_date = query.sort.endswith("date")
        found.sort(
            key=lambda row: (row.dates or _EPOCH) if by_date else row.updated,
            reverse=query.sort.startswith("-"),
        )
    return found


def row_of(stored: Json, raw: bytes) -> Row:
    """Index a stored resource (it has id and meta) by what searches ask for."""
    return Row(
        kind=stored["resourceType"],
        own_id=stored["id"],
        version=int(stored["meta"]["versionId"]),
        raw=raw,
        updated=stored["meta"]["lastUpdated"],
        patients=frozenset(_patients(stored)),
        identifiers=frozenset(_tokens(_dicts(stored.get("identifier")), "value")),
        codes=frozenset(_tokens(_codings(stored.get("code")), "code")),
        status=str(stored.get("status", "")),
        targets=_references(_dicts(stored.get("target"))),
        agents=_references(
            _dicts([agent.get("who") for agent in _dicts(stored.get("agent"))])
        ),
        dates=_dates(stored),
    )


def _references(links: list[Json]) -> frozenset[str]:
    return frozenset(
        str(link.get("reference", "")).split("/_history/", maxsplit=1)[0]
        for link in links
    )


def _patients(stored: Json) -> Iterable[str]:
    for name in ("subject", "patient", "for"):
        link = stored.get(name)
        reference = link.get("reference") if isinstance(link, dict) else None
        if isinstance(reference, str) and "Patient/" in reference:
            yield reference.rsplit("Patient/", maxsplit=1)[1].split("/")[0]


def _tokens(codings: list[Json], name: str) -> Iterable[str]:
    """Every spelling by which a search may name it: s|c, s| and c."""
    for coding in codings:
        system, value = coding.get("system", ""), coding.get(name, "")
        yield from (f"{system}|{value}", f"{system}|", f"{value}")


def _codings(concept: object) -> list[Json]:
    return _dicts(concept.get("coding")) if isinstance(concept, dict) else []


def _dicts(value: object) -> list[Json]:
    return [x for x in value if isinstance(x, dict)] if isinstance(value, list) else []


def _dates(stored: Json) -> tuple[float, float] | None:
    for name in ("effectiveDateTime", "effectiveInstant", "authored", "authoredOn"):
        if name in stored:
            return span(stored[name])
    period = stored.get("effectivePeriod")
    if not isinstance(period, dict):
        return None
    start, end = span(period.get("start")), span(period.get("end"))
    if start is None and end is None:
        return None
    return (start or (float("-inf"), 0))[0], (end or (0, float("inf")))[1]
