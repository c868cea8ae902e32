"""A sealed value opens in its own place with its own key, and nowhere else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.people import crypto
from backend.people.models import Patient, PatientKey
from backend.twin.errors import SealBroken

pytestmark = pytest.mark.django_db
PLACE = {"table": "t", "column": "c", "row": 1}
ONE, TWO = b"1" * 32, b"2" * 32

# Each example seals and opens by itself; the patient's row is only read.
examples = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.fixture
def other(site) -> Patient:
    other = Patient.objects.create(site=site, ehr_id_index="other", ehr_id_sealed=b"")
    crypto.make_key(other)
    return other


@given(plain=st.binary(max_size=300), row=st.integers() | st.uuids() | st.text())
@examples
def test_what_was_sealed_opens(patient, plain, row) -> None:
    blob = crypto.seal(patient, table="t", column="c", row=row, plain=plain)
    opened = crypto.unseal(patient, table="t", column="c", row=row, blob=blob)
    assert opened == plain
    assert len(blob) == len(plain) + 45


@given(
    here=st.tuples(st.text(), st.text(), st.text()),
    there=st.tuples(st.text(), st.text(), st.text()),
)
@example(here=("a|b", "c", "1"), there=("a", "b|c", "1"))
@example(here=("a", "b", "1"), there=("a", "b", "2"))
@examples
def test_it_opens_in_no_other_place(patient, here, there) -> None:
    blob = crypto.seal(
        patient, table=here[0], column=here[1], row=here[2], plain=b"secret"
    )
    if here == there:
        return
    with pytest.raises(SealBroken):
        crypto.unseal(patient, table=there[0], column=there[1], row=there[2], blob=blob)


def test_every_flipped_bit_is_found(patient) -> None:
    blob = crypto.seal(patient, **PLACE, plain=b"secret")
    for bit in range(len(blob) * 8):
        raw = bytearray(blob)
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            crypto.unseal(patient, **PLACE, blob=bytes(raw))


def test_every_cut_is_found(patient) -> None:
    blob = crypto.seal(patient, **PLACE, plain=b"secret")
    for length in range(len(blob)):
        with pytest.raises(SealBroken):
            crypto.unseal(patient, **PLACE, blob=blob[:length])


def test_another_patient_cannot_open_it(patient, other) -> None:
    blob = crypto.seal(patient, **PLACE, plain=b"secret")
    with pytest.raises(SealBroken):
        crypto.unseal(other, **PLACE, blob=blob)


def test_swapped_keys_open_nothing(patient, other) -> None:
    blob = crypto.seal(patient, **PLACE, plain=b"secret")
    PatientKey.objects.filter(patient=patient).update(wrapped=other.key.wrapped)
    with pytest.raises(SealBroken):
        crypto.unseal(Patient.objects.get(pk=patient.pk), **PLACE, blob=blob)


def test_the_same_text_is_never_sealed_the_same(patient) -> None:
    blobs = {crypto.seal(patient, **PLACE, plain=b"secret") for _ in range(50)}
    assert len(blobs) == 50


def test_what_a_database_driver_hands_out_opens(patient) -> None:
    blob = memoryview(crypto.seal(patient, **PLACE, plain=b"secret"))
    assert crypto.unseal(patient, **PLACE, blob=blob) == b"secret"


def test_a_patient_has_one_key(patient) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        crypto.make_key(patient)


def test_a_shredded_key_opens_and_seals_nothing(patient) -> None:
    blob = crypto.seal(patient, **PLACE, plain=b"secret")
    crypto.shred(patient)
    for same in (patient, Patient.objects.get(pk=patient.pk)):
        with pytest.raises(SealBroken, match="gone"):
            crypto.unseal(same, **PLACE, blob=blob)
        with pytest.raises(SealBroken, match="gone"):
            crypto.seal(same, **PLACE, plain=b"new")
    crypto.make_key(patient)
    with pytest.raises(SealBroken):
        crypto.unseal(patient, **PLACE, blob=blob)


def test_a_new_master_key_wraps_again_without_sealing_again(patient) -> None:
    index = b"i" * 32
    old, new = {"old": ONE}, {"old": ONE, "new": TWO}
    crypto.configure(master_keys=old, index_key=index)
    patient = Patient.objects.create(
        site=patient.site, ehr_id_index="rotated", ehr_id_sealed=b""
    )
    crypto.make_key(patient)
    blob = crypto.seal(patient, **PLACE, plain=b"secret")

    crypto.configure(master_keys=new, index_key=index)
    assert crypto.unseal(patient, **PLACE, blob=blob) == b"secret"
    crypto.rewrap(patient)
    assert PatientKey.objects.get(patient=patient).master_id == "new"

    crypto.configure(master_keys={"new": TWO}, index_key=index)
    fresh = Patient.objects.get(pk=patient.pk)
    assert crypto.unseal(fresh, **PLACE, blob=blob) == b"secret"

    crypto.configure(master_keys=old, index_key=index)
    with pytest.raises(SealBroken, match="not configured"):
        crypto.unseal(fresh, **PLACE, blob=blob)
    crypto.configure(master_keys={"new": ONE}, index_key=index)
    with pytest.raises(SealBroken, match="was changed"):
        crypto.unseal(fresh, **PLACE, blob=blob)


def test_a_garbled_wrapped_key_is_a_broken_seal(patient) -> None:
    PatientKey.objects.filter(patient=patient).update(wrapped=b"short")
    with pytest.raises(SealBroken, match="was changed"):
        crypto.seal(Patient.objects.get(pk=patient.pk), **PLACE, plain=b"")


def test_the_blind_index_keeps_site_and_id_apart() -> None:
    assert crypto.blind_index("a", "1") == crypto.blind_index("a", "1")
    pairs = [("a", "1"), ("a", "2"), ("b", "1"), ("a1", ""), ("", "a1")]
    assert len({crypto.blind_index(*pair) for pair in pairs}) == len(pairs)
    before = crypto.blind_index("a", "1")
    crypto.configure(master_keys={"m": ONE}, index_key=TWO)
    assert crypto.blind_index("a", "1") != before


def test_a_keyed_digest_depends_on_text_and_key() -> None:
    digest = crypto.keyed("text")
    assert digest == crypto.keyed("text")
    assert len(digest) == 64
    assert digest != crypto.keyed("text ")
    crypto.configure(master_keys={"m": ONE}, index_key=TWO)
    assert digest != crypto.keyed("text")


def test_no_keyed_digest_is_a_blind_index() -> None:
    assert crypto.keyed('["north", "1"]') != crypto.blind_index("north", "1")


@pytest.mark.parametrize(
    ("master", "index"), [({}, ONE), ({"m": b"short"}, ONE), ({"m": ONE}, b"short")]
)
def test_keys_of_another_size_are_refused(master, index) -> None:
    with pytest.raises(ValueError, match="master key"):
        crypto.configure(master_keys=master, index_key=index)


def test_without_keys_nothing_is_sealed(patient, monkeypatch) -> None:
    monkeypatch.setattr(crypto, "_keys", None)
    with pytest.raises(ImproperlyConfigured):
        crypto.blind_index("a", str(uuid4()))


def test_no_key_is_in_a_text() -> None:
    crypto.configure(master_keys={"m": ONE}, index_key=TWO)
    assert repr(crypto._keys) == "_Keys()"
