"""Resources in, PatientRecord out: each is used or refused by a reason.

Resources are read one by one and dropped at once; only a few fields of each are kept.
The result depends on what was delivered, never on the order or on repetition.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from backend.twin.record import PatientRecord, Refusal
from fhir_integration import collecting, panels
from fhir_integration.codes import NO_SITE_CODES, SiteCodes
from fhir_integration.columns import identities, refusals
from fhir_integration.common_shape import CommonShape
from fhir_integration.copies import newest
from fhir_integration.dispatch import POINTING, Context, ReadResource, read_any
from fhir_integration.kinds.refused import Refused
from fhir_integration.naming import Newness, names, newness
from fhir_integration.observation import Reading
from fhir_integration.scoring import Scores
from fhir_integration.strict_json import Json
from fhir_integration.subject import Subject


def read_record(  # noqa: PLR0913 - each says what is asked for, or of whom
    resources: Iterable[Json],
    *,
    ehr_patient: str,
    since: date,
    until: date,
    base_url: str = "",
    also: Iterable[str] = (),
    on: date | None = None,
    site_codes: SiteCodes = NO_SITE_CODES,
) -> PatientRecord:
    """Extract what the resources say of the patient, and list what was refused.

    Scores and samples count with since <= day <= until. Days are the patient's own, as
    their entries state them: an entry of the day `until` is read whatever its time and
    zone, and so is one without a time. A score or sample dated before `since` was not
    asked for and leaves no trace; anything dated after `until` is refused as IN_FUTURE.
    `base_url` is the site's own: absolute references count below it only. Of several
    versions of a resource, and of several ids of one business identifier, the newest
    counts, whatever it says; equal facts count once. `also` are ids of records that
    were merged into this patient's: what names them is theirs too. Consents count as of
    `on`, else of `until`. `site_codes` says what a site's own codes stand for. Never
    raises, whatever a JSON object holds.
    """
    subject = Subject.at(base_url, ehr_patient, also=also)
    reading = _Reading(
        Context(
            subject,
            since=since,
            until=until,
            on=on,
            site_codes=site_codes,
            base_url=base_url,
        )
    )
    is_taken = reading.common.take
    for resource in resources:
        if not is_taken(resource):
            reading.take(resource)
    return reading.record()


class _Reading:
    """One patient's resources as they come in, and the record that they make."""

    def __init__(self, context: Context) -> None:
        self._lookup: dict[str, Json] = {}
        self._medications: dict[str, tuple[Newness, str]] = {}
        self._context = replace(context, lookup=self._lookup)
        self.common = CommonShape(context)
        self._reads: list[ReadResource] = []
        self._pointing: list[Json] = []  # until all that they may point at is there
        self._panels: list[panels.Panel] = []
        self._withheld: list[panels.Withheld] = []

    def take(self, resource: Json) -> None:
        """Read one uncommon resource, or keep it until what it points at has come."""
        kind = resource.get("resourceType")
        if isinstance(kind, str) and kind in POINTING:
            self._pointing.append(resource)
            return
        if kind == "Medication":
            self._keep_medication(resource)
        read = read_any(resource, self._context)
        self._reads.append(read)
        if not read.results and "hasMember" in resource:
            self._panels.append(panels.panel(resource, read.source, self._context))
        self._withheld += panels.withheld(resource, read, self._context)

    def record(self) -> PatientRecord:
        """Everything that was taken, each fact once."""
        self._reads += [read_any(one, self._context) for one in self._pointing]
        kept, refused = newest(self._reads, self.common)
        columns = self.common.columns
        scores = Scores()
        scores.add_columns(columns)
        scores.add(
            (read.source, result)
            for read in kept
            for result in read.results
            if isinstance(result, Reading)
        )
        sources = {read.source for read in kept}
        for total in self._withheld:
            if total.source in sources:
                scores.withhold(total.scale, total.source, total.day)
        current = [panel for panel in self._panels if panel.source in sources]
        summed, unsummed = panels.sums(current, kept, scores)
        scores.add(summed)
        series, safety, untold = scores.settle()
        streams, repeated = collecting.streams(kept, columns)
        history, again = collecting.history(kept)
        told = identities(columns)
        refused += panels.unread(current, self._reads, told) if current else []
        refused += unsummed + untold + repeated + again + _refusals(kept)
        refused += refusals(columns)
        return PatientRecord(
            series=series,
            safety=safety,
            refused=tuple(sorted(refused, key=_order)),
            streams=streams,
            medications=tuple(history.medications),
            diagnoses=tuple(history.diagnoses),
            genotypes=tuple(history.genotypes),
            lab_facts=tuple(history.lab_facts),
            person=collecting.person(kept),
        )

    def _keep_medication(self, resource: Json) -> None:
        """The newest version of a Medication, for what points at it."""
        name, _ = names(resource)
        rank = newness(resource), repr(resource)
        if name and rank >= self._medications.get(name, rank):
            self._medications[name] = rank
            base = self._context.base_url.rstrip("/")
            self._lookup[name] = self._lookup[f"{base}/{name}"] = resource


def _refusals(reads: Iterable[ReadResource]) -> list[Refusal]:
    return [
        Refusal(read.source, result.reason, result.safety)
        for read in reads
        for result in read.results
        if isinstance(result, Refused)
    ]


def _order(refusal: Refusal) -> tuple[str, str, bool]:
    return refusal.source, refusal.reason, refusal.safety
