"""What is asked of an EHR for a forecast: scores, forms with scores, medicines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from backend.twin.errors import EhrRefused
from backend.twin.features import CONTEXT
from backend.twin.treatment_changes import RENEWAL_DAYS
from fhir_integration.client import FhirClient
from fhir_integration.codes import SiteCodes, search_tokens
from fhir_integration.strict_json import Json

PAGE_SIZE = "200"  # the most that common servers give
# How servers say that they cannot search a type.
NO_SUCH_SEARCH = frozenset({400, 404, 405, 501})
_NOT_GRANTED = 403
_MARGIN = timedelta(days=1)
# A window's days, and so many before them that tell a start from a renewal.
TREATMENT = timedelta(days=CONTEXT + RENEWAL_DAYS)
# Each type with the search parameter of its day. Orders and statements alone change a
# treatment; what was given or handed out is not asked for.
_MEDICINES = {"MedicationRequest": "authoredon", "MedicationStatement": "effective"}


@dataclass
class Pull:
    """One patient's resources for a forecast: all ids and pages, within one deadline.

    Observations and QuestionnaireResponses of the days `since` to `until`, orders and
    statements of medicines of `TREATMENT` before `until`. Of Observations only the
    codes that are read are asked for. A server compares days in UTC, so a day more is
    asked for on each side.
    """

    client: FhirClient
    ehr_patients: Sequence[str]
    since: date
    until: date
    site_codes: SiteCodes
    _given: set[str] = field(default_factory=set)

    @property
    def gives_medicines(self) -> bool:
        """True once `resources` was read to its end and the EHR took such a search."""
        return not self._given.isdisjoint(_MEDICINES)

    def resources(self) -> Iterator[Json]:
        """Everything asked for, in no order; nothing of what the EHR does not give."""
        deadline = self.client.deadline()
        for one in self.ehr_patients:
            yield from self.client.search(
                "Observation",
                [
                    ("patient", one),
                    ("code", search_tokens(self.site_codes)),
                    *self._days("date", self.since),
                ],
                until=deadline,
            )
            # Which questionnaire a form answers cannot be asked for: servers compare
            # its URL, and each maker of forms has another.
            forms = self._days("authored", self.since)
            yield from self._given_of("QuestionnaireResponse", one, forms, deadline)
            for kind, name in _MEDICINES.items():
                days = self._days(name, min(self.since, self.until - TREATMENT))
                yield from self._given_of(kind, one, days, deadline)

    def _days(self, name: str, first: date) -> list[tuple[str, str]]:
        """The search for days from `first` to the last one asked for."""
        return [
            (name, f"ge{first - _MARGIN}"),
            (name, f"le{self.until + _MARGIN}"),
            ("_count", PAGE_SIZE),
        ]

    def _given_of(
        self, kind: str, ehr_patient: str, days: list[tuple[str, str]], deadline: float
    ) -> Iterator[Json]:
        """What the EHR has of a type; none where it has no such search or grants none.

        Some servers ignore what they dislike of a search: other types are dropped.
        """
        asked = [("patient", ehr_patient), *days]
        try:
            for found in self.client.search(kind, asked, until=deadline):
                if found.get("resourceType") == kind:
                    yield found
        except EhrRefused as refusal:
            if refusal.status not in NO_SUCH_SEARCH | {_NOT_GRANTED}:
                raise
        else:
            self._given.add(kind)
