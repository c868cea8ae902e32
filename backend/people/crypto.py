"""Encryption of stored patient data, one data key per patient.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the additional data name the
table, column, patient and row, so a ciphertext moved anywhere else does not open. The
patient's data key is wrapped by a master key (AES key wrap, RFC 3394): a new master
key means wrapping again, not encrypting again, and deleting the wrapped key makes all
of the patient's data unreadable. A blob is

    version (1 byte) | id of the data key (16) | nonce (12) | ciphertext and tag
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction

from backend.people.models import Patient, PatientKey
from backend.twin.errors import SealBroken

_VERSION = b"\x01"
_HEADER = 1 + 16
_NONCE = 12
_TAG = 16
_KEYED = b"mindtwin keyed text\0"


@dataclass(frozen=True, slots=True)
class _Keys:
    master: Mapping[str, bytes] = field(repr=False)
    index: bytes = field(repr=False)

    @property
    def current(self) -> str:
        return list(self.master)[-1]


_keys: _Keys | None = None


def configure(*, master_keys: Mapping[str, bytes], index_key: bytes) -> None:
    """Set the master keys by id, oldest first (the last one wraps), and the index key.

    Raises ValueError unless there is a master key and each key has 32 bytes.
    """
    global _keys  # noqa: PLW0603 - one set of keys per process, set at start
    if not master_keys:
        raise ValueError("at least one master key is needed")
    if any(len(key) != 32 for key in [*master_keys.values(), index_key]):
        raise ValueError("each master key and the index key have 32 bytes")
    _keys = _Keys(dict(master_keys), index_key)


def make_key(patient: Patient) -> None:
    """Give a new patient a data key. Raises IntegrityError when there is one."""
    current = _configured().current
    wrapped = _wrap(secrets.token_bytes(32), current)
    PatientKey.objects.create(patient=patient, wrapped=wrapped, master_id=current)


def seal(
    patient: Patient, *, table: str, column: str, row: UUID | int | str, plain: bytes
) -> bytes:
    """Encrypt for exactly this place. Raises SealBroken when the key was shredded."""
    key = _key_of(patient)
    header = _VERSION + key.id.bytes
    nonce = secrets.token_bytes(_NONCE)
    place = _place(header, table, column, patient.pk, row)
    return header + nonce + AESGCM(_unwrapped(key)).encrypt(nonce, plain, place)


def unseal(
    patient: Patient,
    *,
    table: str,
    column: str,
    row: UUID | int | str,
    blob: bytes | memoryview,
) -> bytes:
    """Decrypt what was sealed for exactly this place.

    Raises SealBroken when a bit was changed, when it was sealed for another row,
    column, table or patient, or when the patient's key was shredded.
    """
    blob = bytes(blob)  # PostgreSQL hands out memoryviews
    key = _key_of(patient)
    header, nonce = blob[:_HEADER], blob[_HEADER : _HEADER + _NONCE]
    if len(blob) < _HEADER + _NONCE + _TAG or header != _VERSION + key.id.bytes:
        raise SealBroken("not sealed for this patient by a key that is known")
    place = _place(header, table, column, patient.pk, row)
    try:
        return AESGCM(_unwrapped(key)).decrypt(nonce, blob[_HEADER + _NONCE :], place)
    except InvalidTag:
        raise SealBroken("changed, or sealed for another place") from None


def blind_index(site_slug: str, ehr_id: str) -> str:
    """A keyed hash by which a patient is found without storing the EHR's id."""
    body = json.dumps([site_slug, ehr_id]).encode()
    return hmac.new(_configured().index, body, hashlib.sha256).hexdigest()


def keyed(text: str) -> str:
    """HMAC-SHA256 of a text with the index key, as 64 hex digits.

    For digests of patient data: equal texts have equal digests, and who lacks the key
    cannot try texts until one matches. The words before the text keep these digests
    apart from every blind index, whose text is a JSON list.
    """
    body = _KEYED + text.encode()
    return hmac.new(_configured().index, body, hashlib.sha256).hexdigest()


def shred(patient: Patient) -> None:
    """Delete the patient's data key: whatever was sealed can never be read again.

    On SQLite the key's bytes leave the files too, once the transaction commits: the
    settings have deleted bytes overwritten, and the write-ahead log is emptied here.
    Raises OperationalError when other connections kept it from being emptied; the key
    is gone then, and calling again empties the log. What PostgreSQL keeps until its
    next VACUUM, and any backup, is the operator's part.
    """
    PatientKey.objects.filter(patient=patient).delete()
    if Patient.key.is_cached(patient):
        Patient.key.related.delete_cached_value(patient)
    if connection.vendor == "sqlite":
        transaction.on_commit(_empty_write_ahead_log)


def rewrap(patient: Patient) -> None:
    """Wrap the data key by the current master key; sealed data stay as they are.

    Raises SealBroken when the key was shredded or its master key is not configured.
    """
    key = _key_of(patient)
    current = _configured().current
    key.wrapped, key.master_id = _wrap(_unwrapped(key), current), current
    key.save(update_fields=["wrapped", "master_id"])


def _empty_write_ahead_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, _, _) = cursor.fetchone()
    if busy:
        raise OperationalError("the key was deleted, but not from the write-ahead log")


def _configured() -> _Keys:
    if _keys is None:
        raise ImproperlyConfigured("people.crypto.configure was not called")
    return _keys


def _key_of(patient: Patient) -> PatientKey:
    try:
        return patient.key
    except PatientKey.DoesNotExist:
        raise SealBroken("the patient's key is gone") from None


def _wrap(data_key: bytes, master_id: str) -> bytes:
    return aes_key_wrap(_configured().master[master_id], data_key)


def _unwrapped(key: PatientKey) -> bytes:
    master = _configured().master.get(key.master_id)
    if master is None:
        raise SealBroken("the master key of this patient's key is not configured")
    try:
        return aes_key_unwrap(master, bytes(key.wrapped))
    except (InvalidUnwrap, ValueError):
        raise SealBroken("the patient's key was changed") from None


def _place(header: bytes, *words: object) -> bytes:
    """The additional data: the header, then table, column, patient and row.

    JSON keeps the words apart whatever is in them.
    """
    return header + json.dumps([str(word) for word in words]).encode()
