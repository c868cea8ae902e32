"""After shredding, no byte of the patient's key is in the files of the database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from backend.people import crypto
from backend.people.models import Patient, PatientKey, Site

pytestmark = pytest.mark.django_db(transaction=True)


def files_with(key: bytes) -> list[str]:
    database = Path(connection.settings_dict["NAME"])
    found = database.parent.glob(f"{database.name}*")
    return sorted(one.name for one in found if key in one.read_bytes())


def enrolled(site: Site, name: str) -> Patient:
    """Without the access log, which no test can empty afterwards."""
    made = Patient.objects.create(site=site, ehr_id_index=name, ehr_id_sealed=b"")
    crypto.make_key(made)
    return made


@pytest.fixture
def patient(site: Site) -> Patient:
    return enrolled(site, "one")


@pytest.fixture(autouse=True)
def _sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the files of SQLite")


def test_a_shredded_key_leaves_every_file(site) -> None:
    patients = [
        enrolled(site, f"{number}")
        for number in range(60)  # enough for the table to have several pages
    ]
    wrapped = {key.patient_id: bytes(key.wrapped) for key in PatientKey.objects.all()}
    assert files_with(wrapped[patients[0].pk]), "it was there"
    for patient in patients[::3]:
        crypto.shred(patient)
        assert files_with(wrapped[patient.pk]) == []
    assert files_with(wrapped[patients[1].pk]), "the others stay"


def test_a_key_that_was_wrapped_again_leaves_no_older_one(patient) -> None:
    older = bytes(PatientKey.objects.get().wrapped)
    crypto.configure(
        master_keys={"old": b"o" * 32, **crypto._configured().master, "new": b"n" * 32},
        index_key=b"i" * 32,
    )
    crypto.rewrap(patient)
    newer = bytes(PatientKey.objects.get().wrapped)
    assert newer != older
    crypto.shred(patient)
    assert files_with(older) == files_with(newer) == []


def test_a_reader_in_the_way_is_told(patient) -> None:
    key = bytes(PatientKey.objects.get().wrapped)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    reader = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM people_patientkey").fetchone()
        with pytest.raises(OperationalError, match="write-ahead log"):
            crypto.shred(patient)
        assert not PatientKey.objects.exists()
    finally:
        reader.close()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 20000")
    crypto.shred(patient)
    assert files_with(key) == []
