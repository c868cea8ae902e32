"""A run over a folder or file: every resource is read once and counted once.

A run that was cut off goes on at the document where it stopped, in the same spool.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from fhir_integration.files.containers import resources_in
from fhir_integration.files.documents import Document, Limits, documents
from fhir_integration.files.first_look import pointed_at
from fhir_integration.files.listing import Listing, listing
from fhir_integration.files.medications import Medications
from fhir_integration.files.references import References
from fhir_integration.files.rows import Rows
from fhir_integration.files.scope import identifiers_of, own_key
from fhir_integration.files.spool import Spool, failure, remove
from fhir_integration.files.verdict import Counts, decide
from fhir_integration.strict_json import Json

_AT_ONCE = 2_000  # resources in one transaction
_HELD = 50_000  # parts in memory: one resource may have thousands


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
    a site's own (system, code) stands for. `besides`: a file that is none of them,
    such as a report that lies among them.
    """

    base_url: str = ""
    besides: Path | None = None
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
        Raises NothingToRead, SpoolMismatch where what was begun cannot be gone on
        with, and SpoolFailed where nothing can be noted.
        """
        own = options or Options()
        self._limits = own.limits
        self.listing: Listing = listing(path, besides=own.besides)
        if fresh:
            remove(spool)
        self._spool = Spool(spool)
        marks = (source.mark() for source in self.listing.sources)
        try:
            with _in_words():
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
        self._seen = self._held = 0  # resources kept, and those set down since

    def run(self, tick: Callable[[Progress], None] = lambda _: None) -> Counts:
        """Read what is left and count everything; `tick` is called all the while.

        Raises SpoolFailed, such as for a full disk; what was kept stays kept.
        """
        of_files = len(self.listing.sources)

        def at(stage: str, files: int) -> None:
            tick(
                Progress(
                    stage, files, of_files, self._seen + self._held + len(self._rows)
                )
            )

        with _in_words():
            if not self.resumed:
                self._collect(at)
            for number, start, line in self._spool.positions():
                self._read(number, Document(None, "", start, line), at)
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

    def _read(
        self, number: int, last: Document, at: Callable[[str, int], None]
    ) -> None:
        """One file after its `last` document; kept by documents, never in half."""
        source, rows = self.listing.sources[number], self._rows
        rows.stand_at(number, last.line)
        for document in documents(
            source, at=last.end, after=last.line, limits=self._limits
        ):
            last = document
            rows.stand_at(number, document.line)
            if document.value is None:
                rows.fault(document.fault)
            else:
                self._take(document.value, has_lines=source.has_lines, number=number)
            at("reading", number)
            if self._held + len(rows) >= _AT_ONCE:
                self._keep(number, last, done=False)
        self._keep(number, last, done=True)
        at("reading", number + 1)

    def _take(self, value: Json, *, has_lines: bool, number: int) -> None:
        """The resources of one document; what is too much for memory is set down."""
        for place, found in enumerate(resources_in(value), start=1):
            if not has_lines:
                self._rows.stand_at(number, place)
            self._rows.take(found)
            if self._rows.parts >= _HELD:
                self._spool.begin()
                self._set_down()

    def _set_down(self) -> None:
        self._held += len(self._rows)
        self._rows.write()

    def _keep(self, number: int, last: Document, *, done: bool) -> None:
        """Rows and position in one transaction: a kill loses both or neither."""
        self._spool.begin()
        self._set_down()
        self._seen, self._held = self._seen + self._held, 0
        self._spool.reach(number, last.end, line=last.line, done=done)
        self._spool.commit()


@contextmanager
def _in_words() -> Iterator[None]:
    """The database's own errors, said as what helps."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error) from error
