"""One site's EHR: the port `backend.twin.ports.Ehr`, spoken in FHIR R4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import httpx

from backend.twin.errors import EhrNotFound, EhrRefused
from backend.twin.ports import ForecastDocument, Receipt
from backend.twin.record import PatientRecord
from fhir_integration.client import FhirClient
from fhir_integration.codes import FHIR_ID, search_tokens
from fhir_integration.connection import Clock
from fhir_integration.reader import read_record
from fhir_integration.writer import write_days, write_forecast

PAGE_SIZE = "200"  # the most that common servers give
_MARGIN = timedelta(days=1)

WriteMode = Literal["full", "flat", "none"]


class FhirEhr:
    """Reads symptom entries from, and writes forecasts to, one FHIR base URL.

    Threads may share it. `deadline_s` bounds one call with all its pages and retries.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of the site
        self,
        base_url: str,
        *,
        token: str | None = None,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
        write_mode: WriteMode = "full",
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`transport` is the swap point for tests; `now` only dates Retry-After."""
        self._base_url, self._write_mode = base_url, write_mode
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
        self, ehr_patient: str, *, since: date, until: date
    ) -> PatientRecord:
        """The symptom entries with since <= day <= until, and what was refused.

        Days are the patient's own: hand in as `until` the latest day that is today
        anywhere on Earth, or the newest entries of the far east are missed. Only the
        codes and days that are needed are asked for. A server compares in UTC, so a
        day more is asked for on each side.
        """
        if not FHIR_ID.fullmatch(ehr_patient):
            raise EhrNotFound("not an id that FHIR allows", status=404)
        params = [
            ("patient", ehr_patient),
            ("code", search_tokens()),
            ("date", f"ge{since - _MARGIN}"),
            ("date", f"le{until + _MARGIN}"),
            ("_count", PAGE_SIZE),
        ]
        resources = self.client.search("Observation", params)
        return read_record(
            resources,
            ehr_patient=ehr_patient,
            since=since,
            until=until,
            base_url=self._base_url,
        )

    def write_forecast(self, document: ForecastDocument) -> Receipt:
        """Write once, however often it is called; read back and compare.

        Mode "full" writes one Observation with everything, "flat" one a day with the
        median, "none" refuses.
        """
        write = {"full": write_forecast, "flat": write_days}.get(self._write_mode)
        if write is None:
            raise EhrRefused("this site takes no forecasts back", status=405)
        return write(self.client, document, until=self.client.deadline())
