"""Items that are Observations of their own, and the panel that points at them."""

from __future__ import annotations

from typing import Any

import pytest

from backend.twin.record import PatientRecord, Reason, Refusal
from fhir_integration.codes import ITEMS
from fhir_integration.panels import members
from fhir_integration.reader import read_record
from fhir_integration.subject import Subject
from tests.fhir_integration.kinds.body import coded
from tests.fhir_integration.made import BASE, SINCE, UNTIL, Json, observation

OTHER = "https://other.example/fhir"
WHEN = "2026-02-14T09:05:00+01:00"


def item(number: int, answer: int = 1, **changes: Any) -> Json:
    made = {"code": coded(ITEMS["phq9"][number]), "valueInteger": answer}
    return observation(id=f"i{number}", valueQuantity=None, **{**made, **changes})


def panel(count: int = 9, **changes: Any) -> Json:
    pointed = [{"reference": f"Observation/i{number}"} for number in range(count)]
    made = {"code": coded("44249-1"), "hasMember": pointed, "valueQuantity": None}
    return observation(id="panel", **{**made, **changes})


def read(*resources: Json) -> PatientRecord:
    return read_record(resources, ehr_patient="p1", since=SINCE, until=UNTIL)


def totals(record: PatientRecord) -> list[tuple[str, float, str]]:
    return [
        (series.scale.key, entry.value, entry.source)
        for series in record.series
        for entry in series.entries
    ]


ALL = [item(number) for number in range(9)]
SUM = ("phq9", 9.0, "Observation/panel/_history/1")


def test_a_complete_panel_is_added_up_in_its_own_name() -> None:
    for order in ([panel(), *ALL], [*ALL[::-1], panel()]):
        record = read(*order)
        assert totals(record) == [SUM]
        assert record.refused == ()
        assert len(record.safety) == 1  # item 9 is an answer all the same


def test_a_stated_total_of_the_day_stands_for_the_items() -> None:
    stated = observation(effectiveDateTime="2026-02-14", valueQuantity={"value": 12})
    record = read(panel(), stated, *ALL)
    assert totals(record) == [("phq9", 12.0, "Observation/o1/_history/1")]
    assert record.refused == ()


@pytest.mark.parametrize(
    ("resources", "left"),
    [
        (ALL, 8),  # nobody says that they belong together
        ([panel(), *ALL[1:]], 7),
        ([panel(8), *ALL], 8),
        ([panel(), *ALL[1:], item(0, effectiveDateTime="2026-02-14")], 8),
        ([panel(), *ALL[1:], item(0, status="cancelled")], 7),
        ([panel(status="entered-in-error"), *ALL], 8),
        ([panel(), *ALL[1:], {**item(1), "id": "i0"}], 8),  # one item twice
    ],
)
def test_an_incomplete_form_has_no_total(resources: list[Json], left: int) -> None:
    record = read(*resources)
    assert totals(record) == []
    reasons = [refusal.reason for refusal in record.refused]
    assert reasons.count(Reason.NO_VALUE) == left


OTHER_DAY = {"effectiveDateTime": "2026-02-13"}
REFUSED: list[Json] = [
    {"valueQuantity": {"value": 300}},
    {"valueQuantity": {"value": 9.5}},
    {"status": "preliminary"},
    {"status": "entered-in-error"},
    {"modifierExtension": [{"url": "urn:not"}]},
]
FORM = {
    "resourceType": "QuestionnaireResponse",
    "id": "form",
    "status": "completed",
    "subject": {"reference": "Patient/p1"},
    "authored": WHEN,
    "item": [
        {"linkId": f"/{code}", "answer": [{"valueInteger": 1}]}
        for code in ITEMS["phq9"]
    ],
}
WHOLE = panel(
    hasMember=None,
    component=[{"code": coded(code), "valueInteger": 1} for code in ITEMS["phq9"]],
)
MEMBERS = [panel(), *ALL]


@pytest.mark.parametrize("changes", REFUSED)
@pytest.mark.parametrize("holders", [MEMBERS, [FORM], [WHOLE]])
def test_a_total_that_is_stated_and_refused_is_not_made_up_for(
    changes: Json, holders: list[Json]
) -> None:
    stated = observation(effectiveDateTime="2026-02-14", **changes)
    for order in ([stated, *holders], [*holders, stated]):
        assert totals(read(*order)) == []
    elsewhere = {**stated, **OTHER_DAY}
    assert len(totals(read(elsewhere, *holders))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"valueQuantity": None},  # none is stated
        {"subject": {"reference": "Patient/p2"}, "status": "preliminary"},
        {"code": coded("1-8"), "status": "preliminary"},
        {"code": coded("70274-6"), "status": "preliminary"},
    ],
)
def test_no_total_of_it_is_stated(changes: Json) -> None:
    assert totals(read(*MEMBERS, observation(**changes))) == [SUM]


@pytest.mark.parametrize("day", ["2026-02-13", "2026", "2026-02-13T09:05:00Z"])
@pytest.mark.parametrize("changes", [{}, *REFUSED])
def test_a_total_among_the_members_stands_whatever_its_day(
    day: str, changes: Json
) -> None:
    stated = observation(effectiveDateTime=day, **changes)
    pointed = [*panel()["hasMember"], {"reference": "Observation/o1"}]
    found = totals(read(panel(hasMember=pointed), *ALL, stated))
    assert SUM not in found
    assert len(found) == (not changes and len(day) > 4)


def test_a_superseded_total_withholds_nothing() -> None:
    first = observation(status="preliminary", meta={"versionId": "1"})
    moved = observation(meta={"versionId": "2"}, **OTHER_DAY)
    assert SUM in totals(read(*MEMBERS, first, moved))


@pytest.mark.parametrize("holder", [FORM, WHOLE])
@pytest.mark.parametrize(
    ("when", "value"),
    [
        (WHEN, 9),
        (WHEN, 12),
        ("2026-02-14", 9),
        ("2026-02-14T20:00:00+01:00", 12),
        ("2026-02-15T00:05:00+14:00", 9),
        ("2026-02-13T22:05:00-10:00", 9),  # the same instant, on another's day
    ],
)
def test_what_was_added_up_gives_way_to_a_stated_total(
    holder: Json, when: str, value: float
) -> None:
    stated = observation(effectiveDateTime=when, valueQuantity={"value": value})
    other_day = observation(id="o2", valueQuantity={"value": 1}, **OTHER_DAY)
    source = f"{holder['resourceType']}/{holder['id']}"
    for order in ([stated, holder, other_day], [other_day, holder, stated]):
        record = read(*order)
        stands = {name.partition("/_")[0] for _, _, name in totals(record)}
        is_told = not when.startswith("2026-02-15")
        assert (source in stands) is not is_told
        reasons = [one.reason for one in record.refused]
        assert reasons == [Reason.DUPLICATE] * is_told
        assert [one.value for one in record.safety] == [1.0]


def test_two_panels_over_the_same_items_give_one_total() -> None:
    record = read(panel(), {**panel(), "id": "again"}, *ALL)
    assert totals(record) == [("phq9", 9.0, "Observation/again/_history/1")]


def test_a_superseded_panel_makes_no_form() -> None:
    back = panel(status="entered-in-error", meta={"versionId": "2"})
    record = read(panel(meta={"versionId": "1"}), back, *ALL)
    assert totals(record) == []


def points(code: str, *members: str, **changes: Any) -> Json:
    pointed = [{"reference": f"Observation/{name}"} for name in members]
    return panel(code=coded(code), hasMember=pointed, **changes)


UNKNOWN = observation(id="u", code=coded("1-8"))
TOTAL = observation(id="t")
WISH = observation(
    id="w", code=coded("93246-7"), valueQuantity=None, valueBoolean=False
)
NOT_FINAL = {**item(8), "id": "n", "status": "preliminary"}


@pytest.mark.parametrize(
    ("resources", "lost"),
    [
        ([points("44249-1", "t"), TOTAL], False),  # nothing else was asked
        ([points("44249-1", "t", "i8"), TOTAL], True),  # it was not sent
        ([points("44249-1", "u", "i8"), UNKNOWN, item(8)], False),
        ([points("44249-1", "u", "t"), UNKNOWN, TOTAL], True),
        ([points("44249-1", "u", "n"), UNKNOWN, NOT_FINAL], False),  # said already
        ([points("69737-5", "u"), UNKNOWN], False),  # no safety item
        ([points("1-8", "gone")], False),
        ([points("93373-9", "w"), WISH], False),
        ([points("93373-9", "w", "u"), WISH, UNKNOWN], True),
        ([points("93373-9", "gone", effectiveDateTime="2025-01-01")], False),
        ([points("93373-9", "gone", effectiveDateTime="2025")], True),
    ],
)
def test_a_member_that_is_not_read_may_be_the_answer(
    resources: list[Json], lost: bool
) -> None:
    for order in (resources, resources[::-1]):
        record = read(*order)
        source = "Observation/panel/_history/1"
        refusal = Refusal(source, Reason.UNKNOWN_CODE, safety=True)
        assert (refusal in record.refused) is lost


def test_a_total_that_was_added_up_says_so() -> None:
    [series] = read(panel(), *ALL).series
    assert [entry.summed for entry in series.entries] == [True]
    [series] = read(observation()).series
    assert [entry.summed for entry in series.entries] == [False]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("Observation/x", {"Observation/x"}),
        ("Observation/x/_history/2", {"Observation/x"}),
        (f"{BASE}/Observation/x/_history/2", {"Observation/x"}),
        (f"{OTHER}/Observation/x", {f"{OTHER}/Observation/x"}),
        ("/Observation/x", {"/Observation/x"}),
        ("QuestionnaireResponse/x", set()),
        ("Observation/", set()),
        ("#x", set()),
        (7, set()),
    ],
)
def test_members_are_known_by_their_references(
    reference: object, found: set[str]
) -> None:
    resource = {"hasMember": [{"reference": reference}, "x"]}
    assert members(resource, Subject.at(BASE, "p1")) == found


def test_members_of_another_server_are_other_entries() -> None:
    pointed = [{"reference": f"{OTHER}/Observation/i{number}"} for number in range(9)]
    record = read(panel(hasMember=pointed), *ALL)
    assert totals(record) == []
    hidden = Refusal("Observation/panel/_history/1", Reason.UNKNOWN_CODE, safety=True)
    assert hidden in record.refused
