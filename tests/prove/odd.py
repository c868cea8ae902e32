"""What the mutants are made of: odd values, and the canaries to look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
CANARY = "zqCanary"  # in every name, id and text of a mutant
CANARY_NUMBER = 731_942.375
PATIENT = f"{CANARY}-patient"
MEDICATION = f"Medication/{CANARY}-medication"
# What is or will be read for a patient is chosen more often than the rest.
OFTEN = (
    "Condition", "Consent", "Medication", "MedicationAdministration",
    "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation",
    "Patient", "QuestionnaireResponse",
)  # fmt: skip

BROKEN: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: raw.replace(b"{", b'{"id": 1, ', 1),  # names id twice
    lambda raw: raw.replace(b": ", b": NaN, ", 1),
    lambda raw: raw.replace(b": ", b': 1e400, "x": ', 1),
    lambda raw: raw[: len(raw) // 2],
    lambda raw: raw.replace(b"a", b"\xff", 1),
    lambda raw: raw.replace(b"a", b"\\ud800", 1),
    lambda raw: raw.replace(b"a", b"\\u0000", 1),
    lambda raw: raw.replace(b'"', b"'", 2),
    lambda raw: b"\xef\xbb\xbf" + raw,
    lambda raw: b"[" + raw + b"]",
    lambda raw: b'{"a":' * 300 + raw + b"}" * 300,
    lambda raw: raw + raw,
)

DATES = [
    "2024-02-30", "2023-02-29", "0000-01-01", "0000", "2024-13-01", "2024-00-10",
    "2024-1-1", "2024", "2024-05", "2024-01-01T24:00:00Z",
    "2024-01-01T10:00:00+99:99", "2024-01-01T10:00:00.123456789Z",
    "2024-01-01T23:59:60Z", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00", "10:00:00", "2024-01-01T10:00",
    "2024-01-01T10:00:00", "20240101", "-2024-01-01", "2024-01-01T10:00:00+24:00",
    "2024-01-01T10:00:00z", "2024-W01-1", "２０２４-01-01", "2024-01-01T25:61:61Z",
    "99999-01-01", "2024-", "2024-01-01T10:00:00-00:00", "2024-01-01T10:00:00.Z",
]  # fmt: skip
STATUS = [
    "entered-in-error", "cancelled", "amended", "corrected", "preliminary",
    "registered", "unknown", "final", "active", "stopped", "draft", "bogus",
    "FINAL", "completed", "in-progress", "not-done",
]  # fmt: skip
UNITS = [
    "{score}", "1", "ms", "s", "min", "h", "/min", "{beats}/min", "bpm", "%", "mg",
    "ug", "kg", "{steps}", "Cel", "[degF]", "K", "mm[Hg]", "count/min", "MS", "zq",
]  # fmt: skip
REFERENCES = (
    "#", "#x", "#p1", "urn:uuid:", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "Patient/", "Patient/../x", f"Patient/{PATIENT}", "http://[::1", "Patient?x=y", "",
    " ", f"Patient/{PATIENT}/_history/", "https://evil.example/Patient/x", MEDICATION,
    "https://xn--/Patient/x", "urn:oid:1.2.3", f"Observation/{CANARY}-1",
)  # fmt: skip
NUMBERS = (
    0, -1, -0.0, 300, 1e308, 5e-324, 2**63, 2**64, 10**40, -(10**40), 0.1,
    CANARY_NUMBER,
)  # fmt: skip
TEXTS = (
    "", " ", "NaN", "-Infinity", "1e400", "12", "-3", "0x1A", "1_000", "٣", "²", "\x00",
    "a\x00b", "\u200b", "\u202e", "\ufeff", "é", "e\u0301", "\U0001f600", "\ud800",
    "\r\n", "%s%n{0}", "'; --", "../../x", f"{CANARY} Jane", "x" * 20_000, "null",
)  # fmt: skip
VALUES = (
    "valueQuantity", "valueInteger", "valueString", "valueCodeableConcept",
    "valueBoolean", "valueDecimal", "valueSampledData", "valueRange", "valuePeriod",
    "valueDateTime", "valueRatio", "value", "_valueQuantity",
)  # fmt: skip
KINDS = (*OFTEN, "MolecularSequence", "Bundle", "Group", "observation", "")
