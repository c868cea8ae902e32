"""One site's EHR: the port `backend.twin.ports.Ehr`, spoken in FHIR R4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal

import httpx

from backend.twin.errors import EhrMalformed, EhrNotFound, EhrRefused
from backend.twin.person import Person
from backend.twin.ports import (
    CorrelationDocument,
    ForecastDocument,
    Receipt,
    TreatmentDocument,
)
from backend.twin.record import PatientRecord, Reason
from fhir_integration.auth import Token
from fhir_integration.client import FhirClient
from fhir_integration.codes import FHIR_ID, NO_SITE_CODES, SiteCodes
from fhir_integration.connection import Clock
from fhir_integration.correlation_writer import write_coefficient, write_correlation
from fhir_integration.kinds.consent import Consented, read_consent
from fhir_integration.kinds.modified import is_modified
from fhir_integration.kinds.person import read_person
from fhir_integration.kinds.refused import Refused
from fhir_integration.pulling import MOST_VALUES, NO_SUCH_SEARCH, PAGE_SIZE, Pull
from fhir_integration.reader import read_record
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject
from fhir_integration.treatment_writer import (
    write_treatment,
    write_treatment_in_words,
)
from fhir_integration.versions import is_other_version
from fhir_integration.writer import write_days, write_forecast

WriteMode = Literal["full", "flat", "none"]
_MOST_REPLACED = 8  # merged records whose consents are searched, one by one


class FhirEhr:
    """Reads what services need from one FHIR base URL, and writes their answers to it.

    Threads may share it. `deadline_s` bounds one call with all its pages and retries.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of the site
        self,
        base_url: str,
        *,
        token: str | Token | None = None,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
        write_mode: WriteMode = "full",
        transport: httpx.BaseTransport | None = None,
        site_codes: SiteCodes = NO_SITE_CODES,
        most_values: int = MOST_VALUES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`transport` is the swap point for tests; `now` only dates Retry-After.

        `site_codes` says what the site's own codes mean; `most_values` bounds what one
        pull of signals reads.
        """
        self._base_url, self._write_mode = base_url, write_mode
        self._site_codes, self._most_values = site_codes, most_values
        self.client = FhirClient(
            base_url,
            token=token,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            transport=transport,
            clock=Clock(now=now),
        )

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def read_symptoms(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """The symptom entries with since <= day <= until, and what was refused.

        With them come the orders and statements of medicines that tell which days of
        a window up to `until` changed the treatment. Where the EHR does not give
        these, `treatment_known` is False; forms it does not give are read without.
        `also` are ids of records that the EHR merged into this patient's: what still
        names them is read too.

        Days are the patient's own: hand in as `until` the latest day that is today
        anywhere on Earth, or the newest entries of the far east are missed.
        """
        pull = self._pull(ehr_patient, since, until, also)
        record = self._record(
            pull.for_forecast(), ehr_patient, since=since, until=until, also=also
        )
        return replace(record, treatment_known=pull.gives_medicines)

    def read_signals(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """The symptom entries and the wearable streams of the days; no medicines.

        `since`, `until` and `also` as with `read_symptoms`; `treatment_known` is False,
        since nobody asked. Raises TooManyValues where the days hold more values than
        one pull reads: a part of them would not be the days asked for.
        """
        pull = self._pull(ehr_patient, since, until, also)
        found = pull.for_correlation(most=self._most_values)
        record = self._record(found, ehr_patient, since=since, until=until, also=also)
        return replace(record, treatment_known=False)

    def read_treatment(
        self, ehr_patient: str, *, since: date, until: date, also: Sequence[str] = ()
    ) -> PatientRecord:
        """What advice on medicines rests on: genes, medicines, conditions, lab facts.

        Genes and conditions of all times up to `until`; orders and statements that
        stand, however old, and all of the days from `since` on; laboratory facts of
        these days. `treatment_known` is False where the EHR gives no medicines. `also`
        as with `read_symptoms`.
        """
        pull = self._pull(ehr_patient, since, until, also)
        found = pull.for_treatment()
        record = self._record(found, ehr_patient, since=since, until=until, also=also)
        return replace(record, treatment_known=pull.gives_medicines)

    def _pull(
        self, ehr_patient: str, since: date, until: date, also: Sequence[str]
    ) -> Pull:
        """Raises EhrNotFound for an id that FHIR does not allow."""
        if not all(map(FHIR_ID.fullmatch, (ehr_patient, *also))):
            raise EhrNotFound("not an id that FHIR allows", status=404)
        return Pull(
            self.client,
            (ehr_patient, *also),
            since=since,
            until=until,
            site_codes=self._site_codes,
        )

    def _record(
        self,
        resources: Iterable[Json],
        ehr_patient: str,
        *,
        since: date,
        until: date,
        also: Sequence[str],
    ) -> PatientRecord:
        return read_record(
            resources,
            ehr_patient=ehr_patient,
            since=since,
            until=until,
            base_url=self._base_url,
            also=also,
            site_codes=self._site_codes,
        )

    def read_person(self, ehr_patient: str, *, on: date) -> Person:
        """Who the patient is, and whether a consent of theirs denies the use.

        `on` is the day on which a consent must be in force. A server that has no
        consents to search, one that nobody can read, or a patient with more merged
        records than are searched, leaves `consent_known` False; so does a consent that
        is not understood in full, unless it says that it denies. Raises EhrMalformed if
        the Patient is of another FHIR version or bears a modifier extension.
        """
        if not FHIR_ID.fullmatch(ehr_patient):
            raise EhrNotFound("not an id that FHIR allows", status=404)
        until = self.client.deadline()
        resource = self.client.read(f"Patient/{ehr_patient}", until=until)
        if is_other_version(resource) or is_modified(resource):
            raise EhrMalformed("the EHR's Patient follows other rules than R4's")
        person = read_person(resource, base_url=self._base_url, on=on)
        if isinstance(person, Refused) or resource.get("id") != ehr_patient:
            raise EhrMalformed("the EHR's answer is not the patient asked for")
        merged = (ehr_patient, *person.replaces)
        consents = self._consents(merged[: 1 + _MOST_REPLACED], on=on, until=until)
        is_whole = len(merged) <= 1 + _MOST_REPLACED
        return replace(
            person,
            opted_out=any(isinstance(x, Consented) and x.denies for x in consents),
            consent_known=is_whole and Refused(Reason.MALFORMED) not in consents,
        )

    def _consents(
        self, merged: tuple[str, ...], *, on: date, until: float
    ) -> list[Consented | Refused]:
        """What the consents say; they may still name a record merged into this one."""
        subject = Subject.at(self._base_url, merged[0], also=merged[1:])
        try:
            return [
                read_consent(consent, subject=subject, on=on, searched=True)
                for one in merged
                for consent in self.client.search(
                    "Consent", [("patient", one), ("_count", PAGE_SIZE)], until=until
                )
            ]
        except EhrRefused as refusal:
            if refusal.status not in NO_SUCH_SEARCH:
                raise
            return [Refused(Reason.MALFORMED)]

    def write_forecast(self, document: ForecastDocument) -> Receipt:
        """Write once, however often it is called; read back and compare.

        Mode "full" writes one Observation with everything, "flat" one a day with the
        median, "none" refuses.
        """
        write = {"full": write_forecast, "flat": write_days}.get(self._write_mode)
        if write is None:
            raise EhrRefused("this site takes no forecasts back", status=405)
        return write(self.client, document, until=self.client.deadline())

    def write_correlation(self, document: CorrelationDocument) -> Receipt:
        """Write once, however often it is called; read back and compare.

        Mode "full" writes one Observation with everything, "flat" the coefficient with
        everything else in words, "none" refuses.
        """
        modes = {"full": write_correlation, "flat": write_coefficient}
        write = modes.get(self._write_mode)
        if write is None:
            raise EhrRefused("this site takes no correlations back", status=405)
        return write(self.client, document, until=self.client.deadline())

    def write_treatment(self, document: TreatmentDocument) -> Receipt:
        """Write once, however often it is called; read back and compare.

        Mode "full" writes Observations with everything, "flat" the same in words,
        "none" refuses. Tasks and a DetectedIssue are written in both.
        """
        modes = {"full": write_treatment, "flat": write_treatment_in_words}
        write = modes.get(self._write_mode)
        if write is None:
            raise EhrRefused("this site takes no advice back", status=405)
        return write(self.client, document, until=self.client.deadline())
