"""Puts the resources of files into the sandbox EHR; a run may be repeated.

What a PUT finds there already is left as it is, so a run that was cut off is simply
run again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import orjson

from backend.twin.genes import GeneCall
from backend.twin.record import Reason
from fhir_integration import bundles
from fhir_integration.connection import Clock, Connection
from fhir_integration.dispatch import Context, read_any
from fhir_integration.files.containers import resources_in
from fhir_integration.files.documents import documents
from fhir_integration.files.first_look import pointed_at
from fhir_integration.files.importing import Options
from fhir_integration.files.listing import listing, printable
from fhir_integration.files.placing import Placed, Places
from fhir_integration.files.references import References
from fhir_integration.files.scope import identifiers_of, own_key
from fhir_integration.kinds.wearable import Sample
from fhir_integration.naming import Newness, newness
from fhir_integration.observation import Reading
from fhir_integration.strict_json import Json, parse
from fhir_integration.subject import Subject

_Rank = tuple[Newness, bytes]
PAGE = 100  # entries of one batch
PAGE_BYTES = 8 * 1024 * 1024  # of their entries: servers bound what they take at once
_TIMEOUT_S, _DEADLINE_S = 30.0, 120.0  # of one batch


@dataclass(slots=True)
class Loaded:
    """What is in the EHR: `sent` resources, the patients by their ids there.

    `last_entries`: the day of each patient's last symptom entry, if there is one.
    `wearables`: the patients of whom there are values of body signals; `genes`: those
    of whom there are results of genes.
    `left_out` counts by reason what is not: a DUPLICATE is the same as, or older than,
    another one of its id, and MALFORMED what cannot be read.
    """

    sent: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    patients: set[str] = field(default_factory=set)
    last_entries: dict[str, date] = field(default_factory=dict)
    wearables: set[str] = field(default_factory=set)
    genes: set[str] = field(default_factory=set)


def load(
    path: Path, ehr_url: str, *, until: date, options: Options | None = None
) -> Iterator[Loaded]:
    """Put all that carries a patient, patients and medications into the EHR there.

    Files are read twice: of several resources of one id the newest has to be known
    before one is sent, so that neither order nor repetition matters. Yields the same
    growing sum all the while. Symptom entries after `until` are no patient's last.
    An id and a digest of each resource are held in memory.
    Raises NothingToRead and EhrError.
    """
    files = _Files(path, options or Options())
    done = Loaded()
    newest: dict[str, _Rank] = {}
    for number, placed in enumerate(files.placed()):
        if isinstance(placed, Placed):
            own_id, rank = placed.resource["id"], _rank(placed)
            newest[own_id] = max(newest.get(own_id, rank), rank)
        if number % PAGE == 0:
            yield done
    with closing(_connection(ehr_url)) as connection:
        for page in _pages(files, newest, done):
            _send(page, connection)
            _note(page, done, until=until)
            yield done


def _pages(
    files: _Files, newest: dict[str, _Rank], done: Loaded
) -> Iterator[list[Placed]]:
    """What is to be sent, at most PAGE entries or PAGE_BYTES at once; the last page
    may be empty.
    """
    page: list[Placed] = []
    size = 0
    for placed in files.placed():
        why = placed if isinstance(placed, Reason) else _older(placed, newest)
        if why or isinstance(placed, Reason):
            done.left_out[str(why)] += 1
            continue
        del newest[placed.resource["id"]]  # an equal one would be sent again
        more = len(orjson.dumps(placed.resource))
        if len(page) == PAGE or (page and size + more > PAGE_BYTES):
            yield page
            page, size = [], 0
        page.append(placed)
        size += more
    yield page


class _Files:
    """All resources of a folder as the EHR is to hold them; may be read again."""

    def __init__(self, path: Path, options: Options) -> None:
        self._sources = listing(path, besides=options.besides).sources
        self._limits = options.limits
        bearer = self._bearers().get
        references = References(base_url=options.base_url, bearer=bearer)
        self._places = Places(printable(path.resolve().as_posix()), references)

    def placed(self) -> Iterator[Placed | Reason]:
        """Each resource, or why it is left out."""
        for source in self._sources:
            for document in documents(source, at=0, limits=self._limits):
                if document.value is None:
                    yield Reason.MALFORMED
                    continue
                for found in resources_in(document.value):
                    yield self._places.place(found)

    def _bearers(self) -> dict[str, str]:
        """Which patient bears an identifier; "" where several do."""
        found: dict[str, str] = {}
        for source in self._sources:
            for one in pointed_at(source, limits=self._limits):
                key = own_key(one) if one else ""
                for text in identifiers_of(one) if one and key else ():
                    found[text] = key if found.get(text, key) == key else ""
        return found


def _older(placed: Placed, newest: dict[str, _Rank]) -> Reason | None:
    """The same, or a newer one, is sent under that id."""
    is_newest = newest.get(placed.resource["id"]) == _rank(placed)
    return None if is_newest else Reason.DUPLICATE


def _rank(placed: Placed) -> _Rank:
    """The newest is greatest; where versions do not say, the content decides."""
    raw = orjson.dumps(placed.resource, option=orjson.OPT_SORT_KEYS)
    return newness(placed.resource), hashlib.sha256(raw).digest()


def _connection(ehr_url: str) -> Connection:
    return Connection(
        ehr_url, token=None, timeout_s=_TIMEOUT_S, transport=None, clock=Clock()
    )


def _send(page: Sequence[Placed], connection: Connection) -> None:
    """Every entry of the page has to be taken."""
    if not page:
        return
    answer = connection.send(
        "POST",
        connection.url(""),
        until=Clock().monotonic() + _DEADLINE_S,
        body=orjson.dumps(_batch([placed.resource for placed in page])),
    )
    bundles.check_batch(parse(answer.content), expected=len(page))


def _note(page: Sequence[Placed], done: Loaded, *, until: date) -> None:
    """As of when a demo may forecast, and of whom it may say more."""
    done.sent += len(page)
    for placed in page:
        if placed.resource["resourceType"] == "Patient":
            done.patients.add(placed.patient)
            continue
        context = Context(Subject.at("", placed.patient), until=until)
        for one in read_any(placed.resource, context).results:
            if isinstance(one, Reading) and not one.safety:
                last = done.last_entries.get(placed.patient, one.moment.day)
                done.last_entries[placed.patient] = max(last, one.moment.day)
            elif isinstance(one, Sample):
                done.wearables.add(placed.patient)
            elif isinstance(one, GeneCall):
                done.genes.add(placed.patient)


def _batch(resources: Sequence[Json]) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {
                "resource": one,
                "request": {
                    "method": "PUT",
                    "url": f"{one['resourceType']}/{one['id']}",
                },
            }
            for one in resources
        ],
    }
