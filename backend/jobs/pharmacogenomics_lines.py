"""One line of a file for `manage.py pharmacogenomics`: JSON in, JSON out.

A line that cannot be read has a line of its own that says why. What is wrong with a
part of it is listed beside the answer, by its place: no text of the input is repeated
in an error. A fact that cannot be read counts as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from backend.jobs.pharmacogenomics_facts import (
    Fault,
    Fields,
    LineRefused,
    conditions,
    person,
    population,
)
from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call, from_json
from backend.twin.pharmacogenomics.drugs import find_drugs
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.knowledge import knowledge_digest
from backend.twin.pharmacogenomics.recommendation import Recommendation
from backend.twin.pharmacogenomics.report import Case, Report
from backend.twin.pharmacogenomics.response_inputs import Person

LONGEST = 1 << 20  # bytes of a line
MOST = 500  # entries of a list
LONGEST_NAME = 200  # characters of an id or a medicine's name
UNREAD = "(name not read)"  # stands for a medicine whose name is none


@dataclass(frozen=True, slots=True)
class Asked:
    """A line that could be read, and what of it could not.

    `person`: for the response model, without genes and medicines.
    """

    id: str | int
    case: Case
    person: Person
    faults: tuple[Fault, ...]


def read_line(line: bytes) -> Asked:
    """What a line asks. Raises LineRefused."""
    if len(line) > LONGEST:
        raise LineRefused("too-long", "the line is longer than a person's may be")
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise LineRefused("not-json", "the line is no JSON") from error
    if not isinstance(fields, dict):
        raise LineRefused("not-an-object", "the line is no JSON object")
    id_ = fields.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or not _is_short(id_):
        raise LineRefused("no-id", "the line has no id that is a text or a number")
    try:
        return _asked(id_, fields)
    except LineRefused as error:
        raise LineRefused(error.code, str(error), id_) from error


def answer_line(
    asked: Asked, made: Report, *, model: Mapping[str, str | int | float] | None = None
) -> bytes:
    """The answer to a line, with its line break; `model`: the one that had a part.

    `knowledge` is a digest of every table. `adjusted_phenotype` is the genetic one
    where current medication changes nothing.
    """
    return orjson.dumps(
        {
            "id": asked.id,
            "genes": [_gene(one) for one in made.genes],
            "advice": made.advice,
            "stops": made.stops,
            "errors": [*asked.faults, *_refused(made), *_unknown(asked.case)],
            "recommendations": [_word(one) for one in made.recommendations],
            "comparison": made.comparison,
            "quality": made.quality,
            "unused": made.unused,
            "response_model": model,
            "knowledge": knowledge_digest(),
            "disclaimer": made.disclaimer,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def refusal_line(error: LineRefused, number: int) -> bytes:
    """The answer to a line that could not be read; `number` counts from 1."""
    fault = Fault(error.code, str(error), f"line {number}")
    nothing = ("genes", "advice", "stops", "recommendations")
    return orjson.dumps(
        {"id": error.id, **dict.fromkeys(nothing, ()), "errors": [fault]},
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _asked(id_: str | int, fields: Fields) -> Asked:
    faults: list[Fault] = []
    found = conditions(fields, faults)
    case = Case(
        calls=tuple(_calls(fields, faults)),
        medications=_names(fields, "medications") or (),
        current=_names(fields, "current_medications"),
        population=population(fields, faults),
        conditions=found,
    )
    return Asked(id_, case, person(fields, found, faults), tuple(faults))


def _calls(fields: Fields, faults: list[Fault]) -> Iterator[Call]:
    for place, one in enumerate(_list(fields, "calls") or ()):
        where = f"calls[{place}]"
        if not isinstance(one, dict):
            faults.append(Fault("malformed", "the call is no JSON object", where))
            continue
        try:
            yield from_json(one)
        except CallRefused as error:
            faults.append(Fault(error.code, str(error), where))


def _names(fields: Fields, name: str) -> tuple[str, ...] | None:
    """Names or RxNorm codes; None where nothing is said."""
    listed = _list(fields, name)
    if listed is None:
        return None
    return tuple(map(_medicine, listed))


def _medicine(told: Any) -> str:
    """A name or a code; UNREAD for anything else: a medicine is meant, not which."""
    is_name = isinstance(told, str | int) and not isinstance(told, bool)
    return str(told) if is_name and _is_short(told) and str(told).strip() else UNREAD


def _list(fields: Fields, name: str) -> Sequence[Any] | None:
    listed = fields.get(name)
    if listed is not None and not isinstance(listed, list):
        raise LineRefused("malformed", f"{name} are no list")
    if len(listed or ()) > MOST:
        raise LineRefused("too-long", f"{name} are more than {MOST}")
    return listed


def _refused(made: Report) -> list[Fault]:
    return [Fault(one.code, one.reason, one.gene) for one in made.refused]


def _unknown(case: Case) -> Iterator[Fault]:
    """Medicines that nobody here knows, asked about or taken, by place."""
    lists = {"medications": case.medications, "current_medications": case.current or ()}
    for name, texts in lists.items():
        for place, text in enumerate(texts):
            if text == UNREAD:
                why = "no name of a medicine: nothing was checked; write it as a text"
                yield Fault("malformed", why, f"{name}[{place}]")
            elif not find_drugs(text):
                why = "the catalogue of medicines does not know it: nothing was checked"
                yield Fault("unknown-medication", why, f"{name}[{place}]")


def _gene(one: GeneResult) -> dict[str, object]:
    changed = one.adjusted_phenotype is not None
    return {
        "gene": one.gene,
        "lookup_diplotype": one.lookup_diplotype,
        "phenotype": one.phenotype,
        "adjusted_phenotype": one.adjusted_phenotype if changed else one.phenotype,
        "activity_score": one.activity_score,
        "adjusted_activity_score": (
            one.adjusted_activity_score if changed else one.activity_score
        ),
        "lookup_key": one.lookup_key,
        "adjusted_lookup_key": one.adjusted_lookup_key if changed else one.lookup_key,
        "adjusted_because": one.adjusted_because,
        "statuses": one.statuses,
        "candidates": one.candidates,
        "basis": one.basis,
        "warnings": one.warnings,
    }


def _word(one: Recommendation) -> dict[str, object]:
    """The overall word and whose words it rests on; their texts stand beside it."""
    by = dict.fromkeys((reason.by, reason.action) for reason in one.reasons)
    return {
        "medication": one.medication,
        "action": one.action,
        "caution": one.caution,
        "rationale": one.rationale,
        "stopped": one.is_stopped,
        "by": [{"by": who, "action": action} for who, action in by],
        "differing": one.differing,
        "missing": one.missing,
        "needs": one.needs,
        "response": one.response,
        "withheld": one.withheld,
    }


def _is_short(value: str | int) -> bool:
    return 0 < len(str(value)) <= LONGEST_NAME
