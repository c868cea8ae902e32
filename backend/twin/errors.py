"""Every error MindTwin raises on purpose.

    TwinError
     ├─ InsufficientData        nothing to forecast from; names what is missing
     ├─ UnknownScale            no such instrument in the scale table
     ├─ UnknownMedication       the catalogue of medicines does not know it
     ├─ CallRefused             a laboratory's call of a gene that cannot be read
     ├─ NotVisible              unknown or forbidden: the caller cannot tell which
     ├─ RecordClosed            seen, and yet not to be used; carries the reason
     │   ├─ PatientOptedOut     the patient, or a consent of theirs, denies the use
     │   ├─ PatientRestricted   the EHR labels the patient's record as restricted
     │   ├─ PatientMerged       another record took its place, and cannot be followed
     │   └─ PatientDeceased     nothing is forecast after a death
     ├─ EhrError                the EHR's side
     │   ├─ EhrUnavailable      down, slow or throttling; carries retry_after_s
     │   ├─ EhrRefused          it understood and said no (4xx)
     │   │   └─ EhrNotFound     no such resource there
     │   └─ EhrMalformed        an answer that is not what FHIR R4 promises
     ├─ ModelError              the model server's side
     │   ├─ ModelUnavailable    missing, dead or too slow
     │   ├─ ModelRefused        wrong name, dtype, shape or batch in the request
     │   ├─ ModelUntrusted      digest, signature, card or graph do not agree
     │   └─ ModelGated          a quality gate refused to put it in front of patients
     ├─ ServiceOff              somebody switched this service off
     ├─ AuditUnavailable        the audit entry could not be written: nothing may leave
     └─ SealBroken              ciphertext does not belong where it was found

Messages name the thing and the remedy. They never carry patient data: no names, EHR
ids, dates of birth, values or texts of a record.
"""

from __future__ import annotations

from typing import ClassVar


class TwinError(Exception):
    """Base of all errors raised on purpose."""


class InsufficientData(TwinError):
    """There is nothing to forecast from."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(f"insufficient data: {', '.join(missing)}")


class UnknownScale(TwinError):
    """No such instrument in the scale table."""


class UnknownMedication(TwinError):
    """The catalogue of medicines does not know it: nothing is guessed."""

    def __init__(self, medication: str) -> None:
        self.medication = medication
        super().__init__("the catalogue of medicines does not know it")


class CallRefused(TwinError):
    """A laboratory's call of a gene cannot be read; `code` is the reason's own."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class NotVisible(TwinError):
    """Unknown or forbidden; one class and one text, so that nobody learns which."""

    def __init__(self) -> None:
        super().__init__("not found")


class RecordClosed(TwinError):
    """Not to be used, whoever asks. `reason` is its word in rows and logs."""

    reason: ClassVar[str] = "closed"
    says: ClassVar[str] = "the record is not to be used"

    def __init__(self) -> None:
        super().__init__(self.says)


class PatientOptedOut(RecordClosed):
    """The patient does not want it: a flag of ours, or a consent in the EHR."""

    reason = "opted-out"
    says = "the patient opted out"


class PatientRestricted(RecordClosed):
    """The EHR labels the record as restricted, and the site does not read those."""

    reason = "restricted"
    says = "the EHR labels this patient's record as restricted"


class PatientMerged(RecordClosed):
    """Another record took this one's place; it is unknown, out of sight or unclear."""

    reason = "merged"
    says = "the EHR merged this record into another one; ask for that patient"


class PatientDeceased(RecordClosed):
    """The patient died on or before the day asked for."""

    reason = "deceased"
    says = "the patient has died: nothing is forecast"


class EhrError(TwinError):
    """Something went wrong on the EHR's side."""


class EhrUnavailable(EhrError):
    """The EHR is down, slow or throttling; try again after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: float = 30.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class EhrRefused(EhrError):
    """The EHR understood the request and refused it."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class EhrNotFound(EhrRefused):
    """The EHR has no such resource."""


class EhrMalformed(EhrError):
    """The EHR's answer is not what FHIR R4 promises."""


class ModelError(TwinError):
    """Something went wrong on the model server's side."""


class ModelUnavailable(ModelError):
    """The model version is missing, dead or too slow."""


class ModelRefused(ModelError):
    """The request does not fit the model: name, dtype, shape or batch."""


class ModelUntrusted(ModelError):
    """Digest, signature, card or graph of a model version do not agree."""


class ModelGated(ModelError):
    """A quality gate refused a promotion; `reasons` says every one that did."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class ServiceOff(TwinError):
    """A whole service is switched off, by name: forecast, and those to come."""

    def __init__(self, service: str) -> None:
        self.service = service
        super().__init__(f"the service '{service}' is switched off")


class AuditUnavailable(TwinError):
    """The audit entry could not be written, so nothing may leave."""


class SealBroken(TwinError):
    """A ciphertext does not belong to the place it was found in."""
