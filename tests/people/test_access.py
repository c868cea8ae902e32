"""The gate: who may see whom, and that every answer leaves exactly one row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.audit import ledger
from backend.audit.ledger import Action
from backend.audit.models import AccessedPatient, AccessEvent
from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.models import CareTeamMember, Patient, Site, SiteMember, User
from backend.twin.errors import AuditUnavailable, EhrUnavailable, NotVisible, SealBroken
from backend.twin.person import Person
from backend.twin.record import Entry, PatientRecord, Series
from backend.twin.scales import local_scale

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
DAYS = (date(2026, 1, 1), date(2026, 3, 1))


def join(user: User, patient: Patient) -> Actor:
    CareTeamMember.objects.create(user=user, patient=patient)
    return Actor.of_user(user)


def rows(after: int) -> list[tuple]:
    """(action, outcome, actor, patients) of the rows after a number."""
    return [
        (
            row.action,
            row.outcome,
            row.actor,
            list(row.patients.order_by("position").values_list("patient", flat=True)),
        )
        for row in AccessEvent.objects.filter(seq__gt=after).order_by("seq")
    ]


def pull(actor: Actor, patient_id, ehr):
    asked = {"purpose": "TREAT", "days": DAYS, "today": TODAY}
    return access.open_record(actor, patient_id, ehr=lambda _site: ehr, **asked)


def break_the_log() -> None:
    ledger.current().anchor.path.unlink()


# --- who sees whom


@given(
    teams=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=12),
    sites=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 1)), max_size=4),
    kinds=st.lists(
        st.sampled_from(["person", "service", "superuser", "left"]),
        min_size=4,
        max_size=4,
    ),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nobody_sees_a_foreign_patient(db, teams, sites, kinds) -> None:
    word = uuid4().hex
    places = [Site.objects.create(slug=f"{word}{i}", ehr_url="") for i in range(2)]
    patients = [
        Patient.objects.create(
            site=places[i % 2], ehr_id_index=f"{i}", ehr_id_sealed=b""
        )
        for i in range(6)
    ]
    users = [
        User.objects.create(
            username=f"{word}{i}",
            is_service=kind == "service",
            is_superuser=kind == "superuser",
            is_active=kind != "left",
        )
        for i, kind in enumerate(kinds)
    ]
    for user, patient in teams:
        CareTeamMember.objects.create(user=users[user], patient=patients[patient])
    for user, site in sites:
        SiteMember.objects.create(user=users[user], site=places[site])
    for number, (user, kind) in enumerate(zip(users, kinds, strict=True)):
        expected = {
            patient.pk
            for i, patient in enumerate(patients)
            if (number, i) in teams or (kind == "service" and (number, i % 2) in sites)
        }
        seen = [patient.pk for patient in Patient.objects.visible_to(user)]
        assert len(seen) == len(set(seen))
        assert set(seen) == (set() if kind == "left" else expected)


def test_a_team_member_opens_the_patient(clinician, patient) -> None:
    actor = join(clinician, patient)
    assert access.open_patient(actor, patient.pk, action=Action.READ) == patient
    assert rows(1) == [("READ", "SUCCESS", actor.name, [patient.pk])]


def test_the_operator_opens_any_patient(operator, patient) -> None:
    access.open_patient(operator, patient.pk, action=Action.READ, purpose="HOPERAT")
    row = AccessEvent.objects.last()
    assert (row.actor, row.purpose) == (operator.name, "HOPERAT")


def test_unknown_and_forbidden_are_the_same_but_for_the_row(
    clinician, patient, django_assert_num_queries
) -> None:
    actor, unknown = Actor.of_user(clinician), uuid4()
    texts, lookups = set(), set()
    for patient_id, named in ((patient.pk, [patient.pk]), (unknown, [])):
        seen = AccessEvent.objects.count()
        # the savepoint and the row of the log; a patient of ours is a child row more
        with (
            pytest.raises(NotVisible) as refused,
            django_assert_num_queries(5 + len(named)) as asked,
        ):
            access.open_patient(actor, patient_id, action=Action.READ)
        texts.add(str(refused.value))
        lookups.add(asked.captured_queries[0]["sql"].replace(patient_id.hex, "?"))
        assert rows(seen) == [("READ", "DENIED", actor.name, named)]
    assert texts == {"not found"}
    assert len(lookups) == 1


def test_an_id_that_is_none_of_ours_is_nowhere_in_the_log(clinician, operator) -> None:
    pasted = uuid4()
    for actor in (Actor.of_user(clinician), operator):
        with pytest.raises(NotVisible):
            access.open_patient(actor, pasted, action=Action.READ)
    assert not AccessedPatient.objects.exists()
    log = str([list(row.values()) for row in AccessEvent.objects.values()])
    assert str(pasted) not in log
    assert pasted.hex not in log


def test_a_forbidden_record_is_never_asked_for(clinician, patient, fake_ehr) -> None:
    ehr = fake_ehr()
    with pytest.raises(NotVisible):
        pull(Actor.of_user(clinician), patient.pk, ehr)
    assert ehr.asked == ehr.met == []
    assert [row[:2] for row in rows(1)] == [("PULL", "DENIED")]


# --- what


def test_a_record_is_pulled_under_the_ehrs_own_id(clinician, patient, fake_ehr) -> None:
    scale = local_scale("x", system="urn:x", low=0, high=10)
    entries = (Entry(date(2026, 2, 1), 3.0, "Observation/1"),)
    ehr = fake_ehr(PatientRecord(series=(Series(scale, entries),)))
    actor = join(clinician, patient)
    found = replace(ehr.record, person=Person())
    assert pull(actor, patient.pk, ehr) == (patient, found)
    assert (ehr.met, ehr.days) == (["ehr-1"], {TODAY})
    assert ehr.asked == [("ehr-1", *DAYS)]
    assert rows(1) == [("PULL", "SUCCESS", actor.name, [patient.pk])]
    assert json.loads(AccessEvent.objects.last().detail) == {
        "entries": 1,
        "merged": 0,
        "refused": 0,
        "since": "2026-01-01",
        "until": "2026-03-01",
    }


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (EhrUnavailable("the EHR does not answer"), "EhrUnavailable"),
        (ZeroDivisionError("a fault of ours"), "unexpected"),
        (KeyboardInterrupt(), "unexpected"),
    ],
)
def test_a_failed_pull_leaves_its_row(
    *, operator, patient, fake_ehr, error, word
) -> None:
    with pytest.raises(type(error)):
        pull(operator, patient.pk, fake_ehr(error=error))
    assert rows(1) == [("PULL", "FAILED", operator.name, [patient.pk])]
    assert json.loads(AccessEvent.objects.last().detail) == {"error": word}


def test_a_swapped_ehr_id_is_refused_and_recorded(
    operator, site, patient, fake_ehr
) -> None:
    other = access.enrol(actor=operator, site=site, ehr_id="ehr-2")
    Patient.objects.filter(pk=patient.pk).update(ehr_id_sealed=other.ehr_id_sealed)
    ehr = fake_ehr()
    with pytest.raises(SealBroken):
        pull(operator, patient.pk, ehr)
    assert ehr.asked == []
    assert [row[:2] for row in rows(2)] == [("PULL", "FAILED")]


def test_a_list_names_every_patient(clinician, operator, site, patient) -> None:
    second = access.enrol(actor=operator, site=site, ehr_id="ehr-2")
    access.enrol(actor=operator, site=site, ehr_id="ehr-3")
    actor = join(clinician, patient)
    join(clinician, second)
    assert access.list_patients(actor) == [patient, second]
    assert rows(3) == [("LIST", "SUCCESS", actor.name, [patient.pk, second.pk])]
    assert len(access.list_patients(operator)) == 3


# --- fails closed


@pytest.mark.parametrize("broken", ["anchor", "table"])
def test_nothing_leaves_when_the_log_is_broken(
    operator, patient, fake_ehr, broken
) -> None:
    if broken == "anchor":
        break_the_log()
    else:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_accessevent RENAME TO gone")
    for act in (
        lambda: pull(operator, patient.pk, fake_ehr()),
        lambda: access.open_patient(operator, patient.pk, action=Action.READ),
        lambda: access.open_patient(operator, uuid4(), action=Action.READ),
        lambda: access.list_patients(operator),
        lambda: pull(operator, patient.pk, fake_ehr(error=EhrUnavailable("down"))),
    ):
        with pytest.raises(AuditUnavailable):
            act()


def test_nobody_is_enrolled_when_the_log_is_broken(operator, site, patient) -> None:
    break_the_log()
    with pytest.raises(AuditUnavailable):
        access.enrol(actor=operator, site=site, ehr_id="ehr-2")
    assert Patient.objects.count() == 1


# --- enrolment


def test_a_patient_is_enrolled_once(operator, site, patient) -> None:
    again = access.enrol(actor=operator, site=site, ehr_id="ehr-1")
    assert again == patient
    assert access.ehr_id_of(again) == "ehr-1"
    details = [json.loads(row.detail) for row in AccessEvent.objects.order_by("seq")]
    assert [detail["created"] for detail in details] == [1, 0]
    assert {detail["site"] for detail in details} == {str(site.pk)}


def test_the_same_ehr_id_elsewhere_is_another_patient(operator, patient) -> None:
    south = Site.objects.create(slug="south", ehr_url="")
    assert access.enrol(actor=operator, site=south, ehr_id="ehr-1") != patient


def test_an_enrolled_patient_can_be_shredded(operator, patient) -> None:
    crypto.shred(patient)
    with pytest.raises(SealBroken):
        access.ehr_id_of(patient)


@pytest.mark.parametrize(
    ("service", "active", "member", "allowed"),
    [
        (True, True, True, True),
        (False, True, True, False),
        (True, False, True, False),
        (True, True, False, False),
    ],
)
def test_only_commands_and_the_sites_own_clients_enrol(
    *, site, service, active, member, allowed
) -> None:
    user = User.objects.create(username="u", is_service=service, is_active=active)
    if member:
        SiteMember.objects.create(site=site, user=user)
    actor = Actor.of_user(user)
    if allowed:
        patient = access.enrol(actor=actor, site=site, ehr_id="ehr-9")
        assert rows(0) == [("REGISTER", "SUCCESS", actor.name, [patient.pk])]
    else:
        with pytest.raises(NotVisible):
            access.enrol(actor=actor, site=site, ehr_id="ehr-9")
        assert rows(0) == [("REGISTER", "DENIED", actor.name, [])]
        assert not Patient.objects.exists()
