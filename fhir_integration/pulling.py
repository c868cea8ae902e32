"""What is asked of an EHR for a service, and what would be too much of it.

A forecast: scores, forms with scores, medicines. A correlation: scores, forms and the
values of wearables. Advice on medicines: genes, medicines, conditions and a few values
of the laboratory. Nothing else is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from backend.twin.errors import EhrMalformed, EhrRefused
from backend.twin.features import CONTEXT
from backend.twin.treatment_changes import RENEWAL_DAYS
from fhir_integration.client import FhirClient
from fhir_integration.codes import SiteCodes
from fhir_integration.errors import TooManyValues
from fhir_integration.naming import Newness, names, newness
from fhir_integration.searched_codes import (
    gene_codes,
    lab_codes,
    signal_codes,
    symptom_codes,
)
from fhir_integration.strict_json import Json

PAGE_SIZE = "200"  # the most that common servers give
# Values of one pull: 126 days of two signals a minute are 362,880. Read, that many took
# a process to 290 MB, whether as SampledData or one by one.
MOST_VALUES = 400_000
_MEDICATION = re.compile(r"(?:^|/)(Medication/[A-Za-z0-9\-.]{1,64})(?:/_history/|$)")
# How servers say that they cannot search a type.
NO_SUCH_SEARCH = frozenset({400, 404, 405, 501})
_NOT_GRANTED = 403
_MARGIN = timedelta(days=1)
# A window's days, and so many before them that tell a start from a renewal.
TREATMENT = timedelta(days=CONTEXT + RENEWAL_DAYS)
# Each type with the search parameter of its day. Orders and statements alone change a
# treatment; what was given or handed out is not asked for.
_MEDICINES = {"MedicationRequest": "authoredon", "MedicationStatement": "effective"}
# States in which a medicine may be taken still, however long ago it was ordered.
_STANDING = "active,on-hold"
_ALL = [("_count", PAGE_SIZE)]
_MOST_MEDICATIONS = 100  # that orders point at, and that are read one by one


@dataclass
class Pull:
    """One patient's resources for a service: all ids and pages, within one deadline.

    Observations and QuestionnaireResponses of the days `since` to `until`. Of
    Observations only the codes that are read are asked for. A server compares days in
    UTC, so a day more is asked for on each side.
    """

    client: FhirClient
    ehr_patients: Sequence[str]
    since: date
    until: date
    site_codes: SiteCodes
    _given: set[str] = field(default_factory=set)
    _told: set[tuple[str, Newness]] = field(default_factory=set)
    _pointed: dict[str, None] = field(default_factory=dict)

    @property
    def gives_medicines(self) -> bool:
        """True once a pull came to its end and the EHR took a search for medicines."""
        return not self._given.isdisjoint(_MEDICINES)

    def for_forecast(self) -> Iterator[Json]:
        """Symptoms, and orders and statements of medicines of `TREATMENT` before.

        In no order; nothing of what the EHR does not give.
        """
        deadline = self.client.deadline()
        for one in self.ehr_patients:
            yield from self._symptoms(one, deadline)
            for kind, name in _MEDICINES.items():
                days = self._days(name, min(self.since, self.until - TREATMENT))
                yield from self._given_of(kind, one, days, deadline)

    def for_correlation(self, *, most: int = MOST_VALUES) -> Iterator[Json]:
        """Symptoms and the values of wearables, in no order.

        Raises TooManyValues before more than `most` values are handed on.
        """
        return bounded(self._signals_and_symptoms(), most=most)

    def for_treatment(self) -> Iterator[Json]:
        """Genes and conditions of all times, medicines, values of the days.

        Medicines: orders and statements that stand, whatever their day, and all of the
        days `since` to `until`; with the Medications that they point at.
        """
        deadline = self.client.deadline()
        for one in self.ehr_patients:
            yield from self._coded(one, gene_codes(self.site_codes), _ALL, deadline)
            labs = self._days("date", self.since)
            yield from self._coded(one, lab_codes(self.site_codes), labs, deadline)
            for kind, name in _MEDICINES.items():
                standing = [("status", _STANDING), *_ALL]
                for asked in (self._days(name, self.since), standing):
                    found = self._given_of(kind, one, asked, deadline)
                    yield from self._pointing(self._once(found))
            yield from self._given_of("Condition", one, _ALL, deadline)
        yield from self._medications(deadline)

    def _pointing(self, orders: Iterable[Json]) -> Iterator[Json]:
        """The same orders; what they point at is noted."""
        for order in orders:
            pointer = order.get("medicationReference")
            stated = pointer.get("reference") if isinstance(pointer, dict) else None
            found = _MEDICATION.search(stated) if isinstance(stated, str) else None
            if found is not None:
                self._pointed[found[1]] = None
            yield order

    def _medications(self, deadline: float) -> Iterator[Json]:
        """The Medications that were pointed at; none that the EHR does not give.

        By their ids on this EHR: whether a reference that is spelled in full is of it,
        decides who resolves it.
        """
        for reference in list(self._pointed)[:_MOST_MEDICATIONS]:
            try:
                yield self.client.read(reference, until=deadline)
            except (EhrMalformed, EhrRefused):
                continue

    def _signals_and_symptoms(self) -> Iterator[Json]:
        deadline = self.client.deadline()
        for one in self.ehr_patients:
            yield from self._symptoms(one, deadline)
            yield from self._observations(one, signal_codes(self.site_codes), deadline)

    def _symptoms(self, ehr_patient: str, deadline: float) -> Iterator[Json]:
        codes = symptom_codes(self.site_codes)
        yield from self._observations(ehr_patient, codes, deadline)
        # Which questionnaire a form answers cannot be asked for: servers compare
        # its URL, and each maker of forms has another.
        forms = self._days("authored", self.since)
        yield from self._given_of("QuestionnaireResponse", ehr_patient, forms, deadline)

    def _observations(
        self, ehr_patient: str, codes: Iterable[str], deadline: float
    ) -> Iterator[Json]:
        days = self._days("date", self.since)
        return self._coded(ehr_patient, codes, days, deadline)

    def _coded(
        self,
        ehr_patient: str,
        codes: Iterable[str],
        days: list[tuple[str, str]],
        deadline: float,
    ) -> Iterator[Json]:
        """An Observation with codes of two lists is found twice, and told once."""
        for part in codes:
            asked = [("patient", ehr_patient), ("code", part), *days]
            yield from self._once(
                self.client.search("Observation", asked, until=deadline)
            )

    def _once(self, found: Iterable[Json]) -> Iterator[Json]:
        """Each version of a resource once, however many searches find it."""
        for one in found:
            identity, source = names(one)
            version = source, newness(one)
            if not identity or version not in self._told:
                self._told.add(version)
                yield one

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


def bounded(resources: Iterable[Json], *, most: int) -> Iterator[Json]:
    """The resources one by one. Raises TooManyValues at the one that is too many."""
    values = 0
    for resource in resources:
        values += _values(resource)
        if values > most:
            raise TooManyValues(most)
        yield resource


def _values(resource: Json) -> int:
    """How many values it states at most; one without any counts as one too."""
    inner = resource.get("component")
    parts = [resource, *(inner if isinstance(inner, list) else ())]
    return sum(_samples(part) for part in parts)


def _samples(part: object) -> int:
    """One, but for SampledData: that has as many as there are gaps between them."""
    sampled = part.get("valueSampledData") if isinstance(part, dict) else None
    texts = sampled.get("data") if isinstance(sampled, dict) else None
    return 1 + texts.count(" ") if isinstance(texts, str) else 1
