"""A run over a folder or file: every resource is read once and counted once.

A run that was cut off goes on at the document where it stopped, in the same spool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from fhir_integration.files.containers import identifiers_of, own_key, resources_in
from fhir_integration.files.documents import Limits, documents
from fhir_integration.files.first_look import pointed_at
from fhir_integration.files.listing import Listing, listing
from fhir_integration.files.references import References
from fhir_integration.files.rows import Rows
from fhir_integration.files.spool import Medications, Spool, remove
from fhir_integration.files.verdict import Counts, decide
from fhir_integration.strict_json import Json

_AT_ONCE = 2_000  # resources in one transaction


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `stage` is a word, the rest counts of this run alone."""

    stage: str
    files: int
    of_files: int
    resources: int


@dataclass(frozen=True, slots=True)
class Options:
    """What decides how files are read; a run is gone on with under the same only.

    `base_url`: where absolute references count as the source's own. `site_codes`: what
    a site's own (system, code) stands for.
    """

    base_url: str = ""
    site_codes: Mapping[tuple[str, str], tuple[str, str]] | None = None
    limits: Limits = field(default_factory=Limits)

    def text(self) -> str:
        """The same for the same options."""
        codes = sorted((self.site_codes or {}).items())
        return f"{self.base_url} {codes} {self.limits}"


class Import:
    """One run. `run` reads and counts; `finish` takes the spool away."""

    def __init__(
        self,
        path: Path,
        spool: Path,
        *,
        until: date,
        options: Options | None = None,
        fresh: bool = False,
    ) -> None:
        """Begin, or go on with what `spool` holds; `fresh` drops that first.

        Days after `until` are in the future; a run that goes on keeps its first one.
        Raises NothingToRead, and SpoolMismatch where what was begun cannot be gone on
        with.
        """
        own = options or Options()
        self._limits = own.limits
        self.listing: Listing = listing(path)
        if fresh:
            remove(spool)
        self._spool = Spool(spool)
        marks = (source.mark() for source in self.listing.sources)
        try:
            self._spool.bind(marks, options=own.text())
            if self._spool.said("until") is None:
                self._spool.say("until", until.isoformat())
        except (ValueError, OSError):
            self._spool.close()
            raise
        self.resumed = self._spool.said("collected") is not None
        self._medications = Medications(self._spool)
        self._rows = Rows(
            self._spool,
            references=References(base_url=own.base_url, bearer=self._spool.bearer),
            until=date.fromisoformat(str(self._spool.said("until"))),
            lookup=self._medications,
            site_codes=own.site_codes or {},
        )
        self._seen = 0

    def run(self, tick: Callable[[Progress], None] = lambda _: None) -> Counts:
        """Read what is left and count everything; `tick` is called all the while."""
        of_files = len(self.listing.sources)

        def at(stage: str, files: int) -> None:
            tick(Progress(stage, files, of_files, self._seen + len(self._rows)))

        if not self.resumed:
            self._collect(at)
        for number, start in self._spool.positions():
            self._read(number, start, at)
        return decide(self._spool, tick=lambda: at("counting", of_files))

    def close(self) -> None:
        """Keep the spool for another run."""
        self._spool.close()

    def finish(self) -> None:
        """The report was given: nothing of the run is kept."""
        self._spool.delete()

    def _collect(self, at: Callable[[str, int], None]) -> None:
        """Note the codes of medications, and which patients bear which identifiers."""
        for number, source in enumerate(self.listing.sources):
            with self._spool:
                for found in pointed_at(source, limits=self._limits):
                    if found is not None:
                        self._note(found)
                    at("looking", number)
        with self._spool:
            self._spool.say("collected", 1)

    def _note(self, resource: Json) -> None:
        kind, own_id = resource.get("resourceType"), resource.get("id")
        if kind == "Medication" and isinstance(own_id, str):
            self._medications.add(f"Medication/{own_id}", resource)
        for text in identifiers_of(resource) if own_key(resource) else ():
            self._spool.add_bearer(text, own_key(resource))

    def _read(self, number: int, start: int, at: Callable[[str, int], None]) -> None:
        """One file, from byte `start` on; kept document by document, never in half."""
        end, rows = start, self._rows
        source = self.listing.sources[number]
        for document in documents(source, at=start, limits=self._limits):
            end = document.end
            if document.value is None:
                rows.fault(document.fault)
            else:
                for found in resources_in(document.value):
                    rows.take(found)
                    at("reading", number)
            if len(rows) >= _AT_ONCE:
                self._keep(number, end, done=False)
        self._keep(number, end, done=True)
        at("reading", number + 1)

    def _keep(self, number: int, end: int, *, done: bool) -> None:
        """Rows and position in one transaction: a kill loses both or neither."""
        self._seen += len(self._rows)
        with self._spool:
            self._rows.write(number)
            self._spool.reach(number, end, done=done)
