"""Records that the EHR merged: whose is read, and what closes them all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.models import AccessEvent
from backend.people import access, crypto
from backend.people.access import Actor
from backend.people.identity import MOST_RECORDS, accepted_ids
from backend.people.models import CareTeamMember, Patient, Site, SiteMember, User
from backend.twin.errors import (
    PatientMerged,
    PatientOptedOut,
    PatientRestricted,
    SealBroken,
)
from backend.twin.person import Person
from tests.people.conftest import DAYS, into, last_row, other

pytestmark = pytest.mark.django_db
WHOLE = Person()


def test_a_merged_record_leads_to_the_survivor(patient, pull) -> None:
    found, record = pull(p1=into(2), p2=WHOLE)
    assert access.ehr_id_of(found) == "ehr-2"
    assert pull.ehr.asked == [("ehr-2", *DAYS, "ehr-1")]
    assert record.person == WHOLE
    patient.refresh_from_db()
    assert (patient.closed, patient.merged_into) == ("merged", found)
    assert last_row()[3] == [patient.pk, found.pk]
    assert last_row()[2]["merged"] == 1


def test_a_chain_of_merges_is_followed_to_its_end(operator, site, pull, patient):
    third = other(operator, site, 3)
    found, _ = pull(p1=into(2), p2=into(3), p3=WHOLE)
    assert found == third
    assert pull.ehr.asked == [("ehr-3", *DAYS, "ehr-1", "ehr-2")]
    assert pull(of=third, p1=into(2), p2=into(3), p3=WHOLE)[0] == third
    assert pull.ehr.asked == [("ehr-3", *DAYS, "ehr-1", "ehr-2")]
    assert sorted(pull.ehr.met) == ["ehr-1", "ehr-2", "ehr-3"]
    patient.refresh_from_db()
    assert access.ehr_id_of(patient.merged_into) == "ehr-2"


@pytest.mark.parametrize(
    "persons",
    [
        {"p1": into(1)},
        {"p1": into(2), "p2": into(1)},
        {"p1": into(2), "p2": into(3), "p3": into(2)},
        {"p1": into(2)},  # the survivor is gone
        {f"p{n}": into(n + 1) for n in range(1, MOST_RECORDS + 2)},
        {"p1": Person(replaces=tuple(f"ehr-{n}" for n in range(20)))},
    ],
)
def test_links_that_lead_nowhere_are_refused_and_come_to_an_end(pull, persons) -> None:
    for _ in range(2):
        with pytest.raises(PatientMerged):
            pull(**persons)
        assert pull.ehr.asked == []
        assert len(pull.ehr.met) <= MOST_RECORDS


def test_an_unknown_survivor_is_for_those_who_may_enrol(site, patient, clerk, pull):
    with pytest.raises(PatientMerged):
        pull(clerk, p1=into(2), p2=WHOLE)
    assert pull.ehr.met == ["ehr-1"]
    assert Patient.objects.count() == 1
    machine = User.objects.create_user("machine", is_service=True)
    SiteMember.objects.create(site=site, user=machine)
    found, _ = pull(Actor.of_user(machine), p1=into(2), p2=WHOLE)
    kinds = AccessEvent.objects.order_by("-seq").values_list("action", flat=True)[:2]
    assert list(kinds) == ["PULL", "REGISTER"]
    assert found.team.count() == 0


def test_a_survivor_out_of_sight_stays_so(
    *, operator, site, patient, clerk, pull
) -> None:
    second = other(operator, site, 2)
    with pytest.raises(PatientMerged):
        pull(clerk, p1=into(2), p2=WHOLE)
    assert last_row()[3] == [patient.pk]
    patient.refresh_from_db()
    assert patient.merged_into == second
    CareTeamMember.objects.create(user=clerk.user, patient=second)
    assert pull(clerk, p1=into(2), p2=WHOLE)[0] == second


def test_a_survivor_at_another_site_is_another_patient(operator, pull) -> None:
    south = Site.objects.create(slug="south", ehr_url="")
    elsewhere = other(operator, south, 2)
    found, _ = pull(p1=into(2), p2=WHOLE)
    assert found != elsewhere


@pytest.mark.parametrize(
    ("links", "read"),
    [
        ({"p1": Person(replaces=("ehr-2",)), "p2": WHOLE}, ["ehr-2"]),
        ({"p1": Person(replaces=("ehr-2",)), "p2": into(1)}, ["ehr-2"]),
        ({"p1": Person(replaces=("ehr-2",))}, ["ehr-2"]),  # deleted when merged
        # says that it is somebody else's by now
        ({"p1": Person(replaces=("ehr-2",)), "p2": into(3), "p3": WHOLE}, []),
        # replaced by a record that this one took the place of in turn
        (
            {"p1": Person(replaces=("ehr-2",)), "p2": into(3), "p3": into(1)},
            ["ehr-2", "ehr-3"],
        ),
        (
            {
                "p1": Person(replaces=("ehr-2",)),
                "p2": Person(replaces=("ehr-3",)),
                "p3": WHOLE,
            },
            ["ehr-2", "ehr-3"],
        ),
    ],
)
def test_a_survivor_brings_the_records_that_agree(pull, links, read) -> None:
    pull(**links)
    assert pull.ehr.asked == [("ehr-1", *DAYS, *read)]


def test_a_merge_that_was_taken_back_is_forgotten(operator, site, patient, pull):
    second = other(operator, site, 2)
    pull(p1=into(2), p2=WHOLE)
    pull(of=second, p1=WHOLE, p2=WHOLE)
    assert pull.ehr.asked == [("ehr-2", *DAYS)]
    patient.refresh_from_db()
    assert (patient.closed, patient.merged_into) == ("", None)


def test_a_merged_record_that_was_deleted_is_remembered(operator, site, pull) -> None:
    second = other(operator, site, 2)
    pull(p1=into(2), p2=WHOLE)
    pull(of=second, p2=WHOLE)
    assert pull.ehr.asked == [("ehr-2", *DAYS, "ehr-1")]


def test_what_was_erased_of_a_merged_patient_stays_out(operator, site, patient, pull):
    second = other(operator, site, 2)
    pull(p1=into(2), p2=WHOLE)
    crypto.shred(patient)
    pull(of=second, p2=WHOLE)
    assert pull.ehr.asked == [("ehr-2", *DAYS)]
    with pytest.raises(SealBroken):
        pull(p1=into(2), p2=WHOLE)


# --- an opt-out is the person's


@pytest.mark.parametrize("links", [{"p1": into(2), "p2": WHOLE}, {"p2": WHOLE}])
@pytest.mark.parametrize("where", ["ehr-1", "ehr-2"])
def test_our_flag_counts_under_every_record(*, operator, site, pull, links, where):
    second = other(operator, site, 2)
    pull(p1=into(2), p2=WHOLE)
    index = crypto.blind_index(site.slug, where)
    Patient.objects.filter(ehr_id_index=index).update(opted_out=True)
    with pytest.raises(PatientOptedOut):
        pull(of=second, **links)
    assert pull.ehr.asked == []


def test_our_flag_counts_on_a_record_that_the_survivor_claims(operator, site, pull):
    Patient.objects.filter(pk=other(operator, site, 2).pk).update(opted_out=True)
    with pytest.raises(PatientOptedOut):
        pull(p1=Person(replaces=("ehr-2",)), p2=WHOLE)
    with pytest.raises(PatientOptedOut):
        pull(p1=into(2), p2=WHOLE)
    assert pull.ehr.asked == []


def test_a_record_that_is_only_claimed_stays_a_patient(operator, site, pull) -> None:
    second = other(operator, site, 2)
    pull(p1=Person(replaces=("ehr-2",)), p2=WHOLE)
    assert last_row()[3][1:] == [second.pk]
    second.refresh_from_db()
    assert (second.closed, second.merged_into) == ("", None)


@pytest.mark.parametrize(
    ("old", "error"),
    [
        (Person(opted_out=True), PatientOptedOut),
        (Person(restricted=True), PatientRestricted),
    ],
)
def test_the_ehrs_word_counts_under_every_record(patient, pull, old, error) -> None:
    with pytest.raises(error):
        pull(p1=Person(replaces=("ehr-2",)), p2=old)
    assert pull.ehr.asked == []
    patient.refresh_from_db()
    assert patient.closed == error.reason


def test_consent_is_known_if_it_is_under_every_record(pull) -> None:
    unknown = replace(WHOLE, consent_known=False)
    _, record = pull(p1=Person(replaces=("ehr-2",)), p2=unknown)
    assert not record.person.consent_known


@given(
    st.dictionaries(
        st.sampled_from("abcde"),
        st.builds(
            Person,
            replaced_by=st.sampled_from(["", *"abcdef"]),
            replaces=st.lists(st.sampled_from("abcdef"), max_size=3).map(tuple),
        ),
    )
)
def test_no_record_that_names_somebody_else_is_accepted(persons) -> None:
    persons["a"] = Person(replaces=persons.get("a", WHOLE).replaces)
    ours = accepted_ids(persons, "a")
    assert "a" in ours
    for one in ours - {"a"}:
        assert persons[one].replaced_by in ours | {""}
