"""What became of each resource, decided by SQL once all were seen.

So neither the order of files nor repetition matters: of several versions of one
resource the newest counts, of equal facts of one patient one, and everything else is
refused as a duplicate. What is of patients whose record is closed, by a label or by a
consent that denies, is refused as restricted. Memory stays flat: SQLite sorts on disk.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backend.twin.record import Reason
from fhir_integration.files.spool import Spool
from fhir_integration.files.standing import Standing, standing

# Steps of SQLite's machine between two calls of `tick`: some milliseconds.
_STEPS = 200_000

_OLDER = """
INSERT INTO older SELECT seq FROM (
    SELECT seq, row_number() OVER (
        PARTITION BY patient, {name}
        ORDER BY newness DESC, shape DESC, digest DESC, seq
    ) AS place
    FROM resource
    WHERE {name} IS NOT NULL AND seq NOT IN (SELECT seq FROM older)
) WHERE place > 1
"""
_FACTS = """
part JOIN resource USING (seq)
WHERE part.reason IS NULL AND seq NOT IN (SELECT seq FROM older)
"""
_REPEATED = f"""
INSERT INTO lost SELECT seq, place, :duplicate FROM (
    SELECT seq, place, row_number() OVER (
        PARTITION BY patient, content ORDER BY used DESC, digest, seq, place
    ) AS number
    FROM {_FACTS}
) WHERE number > 1
"""  # noqa: S608 - our own text
# An item sent with several ranges keeps the commonest, then the widest.
_CHOSEN = f"""
CREATE TEMP TABLE chosen AS SELECT patient, concept, variant FROM (
    SELECT patient, concept, variant, row_number() OVER (
        PARTITION BY patient, concept ORDER BY count(*) DESC, variant DESC
    ) AS number
    FROM {_FACTS}
    AND variant IS NOT NULL AND (seq, place) NOT IN (SELECT seq, place FROM lost)
    GROUP BY patient, concept, variant
) WHERE number = 1
"""  # noqa: S608 - our own text
_UNSCALED = f"""
INSERT OR IGNORE INTO lost SELECT seq, place, :no_scale FROM {_FACTS}
    AND variant IS NOT NULL
    AND (patient, concept, variant) NOT IN (SELECT * FROM chosen)
"""  # noqa: S608 - our own text
_CLOSED = """
CREATE TEMP TABLE closed AS SELECT DISTINCT patient FROM resource
WHERE closes AND patient IS NOT NULL AND seq NOT IN (SELECT seq FROM older)
"""
_RESTRICTED = f"""
INSERT OR IGNORE INTO lost SELECT seq, place, :restricted FROM {_FACTS}
    AND patient IN (SELECT patient FROM closed) AND kind NOT IN (:patient, :consent)
"""  # noqa: S608 - our own text
_JUDGED = """
CREATE TEMP TABLE judged AS
SELECT part.seq, concept, patient,
    coalesce(lost.reason, part.reason) AS reason, part.place
FROM part JOIN resource USING (seq)
    LEFT JOIN lost ON lost.seq = part.seq AND lost.place = part.place
WHERE part.seq NOT IN (SELECT seq FROM older)
"""
# With min() SQLite takes the other columns from the row that has the minimum: the
# first part decides, and a part that is used before all others.
_RESOURCES = """
CREATE TEMP TABLE verdict AS
SELECT resource.kind AS kind, resource.patient AS patient, resource.seq AS seq,
    resource.file AS file, resource.stands AS stands,
    CASE WHEN resource.seq IN (SELECT seq FROM older) THEN :duplicate
         WHEN first.seq IS NULL THEN :elsewhere ELSE first.reason END AS reason
FROM resource LEFT JOIN (
    SELECT seq, reason, min(CASE WHEN reason IS NULL THEN -1 ELSE place END)
    FROM judged GROUP BY seq
) AS first ON first.seq = resource.seq
"""
_BY_TYPE = "SELECT kind, reason, count(*) FROM verdict GROUP BY kind, reason"
_BY_CONCEPT = """
SELECT concept, count(*), count(DISTINCT patient)
FROM judged JOIN word ON number = concept
WHERE reason IS NULL GROUP BY concept ORDER BY word
"""
# Named by a Patient or by what is used: a reference alone may lead to nobody.
_PATIENTS = """
SELECT count(DISTINCT patient) FROM verdict
WHERE reason IS NULL OR kind = (SELECT number FROM word WHERE word = 'Patient')
"""
_BESIDE = """
SELECT judged.reason, count(*)
FROM judged JOIN verdict USING (seq) JOIN word ON number = judged.reason
WHERE verdict.reason IS NULL GROUP BY judged.reason ORDER BY word
"""
_FAULTS = "SELECT * FROM fault ORDER BY file, fault"


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that a run counted; `used` + all of `refused` = `resources`.

    `types`: by resource type, {"used": n, "refused": {reason: n}}. `concepts`: by
    concept, {"entries": n, "patients": n}. `patients`: whom a Patient or something
    used names; `closed` of them are restricted or deny. `beside`: refused parts, by
    reason, of resources that are used by another part. `faults`: by file number and
    fault. `standing`: where what was refused stands; not compared, since files of
    another order stand elsewhere.
    """

    resources: int
    used: int
    refused: dict[str, int]
    patients: int
    types: dict[str, dict[str, Any]]
    concepts: dict[str, dict[str, int]]
    beside: dict[str, int]
    faults: dict[tuple[int, str], int]
    closed: int = 0
    standing: Standing = field(default_factory=Standing, compare=False)


def decide(spool: Spool, *, tick: Callable[[], None]) -> Counts:
    """Decide and count; may be repeated. `tick` is called all the while."""

    def working() -> int:
        tick()
        return 0  # go on

    tick()
    spool.sql.set_progress_handler(working, _STEPS)
    try:
        _judge(spool)
        return _counts(spool)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None  # SQLite keeps what `tick` raised
        raise
    finally:
        spool.sql.set_progress_handler(None, 0)


def _judge(spool: Spool) -> None:
    words = {
        "duplicate": spool.word(Reason.DUPLICATE),
        "no_scale": spool.word(Reason.NO_SCALE),
        "elsewhere": spool.word(Reason.POINTS_ELSEWHERE),
        "restricted": spool.word(Reason.RESTRICTED),
        "patient": spool.word("Patient"),
        "consent": spool.word("Consent"),
    }
    run = spool.sql.execute
    for table in ("older", "lost", "chosen", "closed", "judged", "verdict"):
        run(f"DROP TABLE IF EXISTS temp.{table}")
    run("CREATE TEMP TABLE older (seq INTEGER PRIMARY KEY)")
    run(
        "CREATE TEMP TABLE lost (seq INTEGER, place INTEGER, reason INTEGER, "
        "PRIMARY KEY (seq, place)) WITHOUT ROWID"
    )
    run(_OLDER.format(name="identity"))
    run(_OLDER.format(name="business"))
    run(_REPEATED, words)
    run(_CHOSEN)
    run(_UNSCALED, words)
    run(_CLOSED)
    run(_RESTRICTED, words)
    run(_JUDGED)
    run(_RESOURCES, words)


def _counts(spool: Spool) -> Counts:
    rows = spool.sql.execute
    words: dict[int, str] = dict(rows("SELECT number, word FROM word"))
    types = _types(spool, words)
    refused: dict[str, int] = defaultdict(int)
    for of_type in types.values():
        for reason, count in of_type["refused"].items():
            refused[reason] += count
    used = sum(of_type["used"] for of_type in types.values())
    return Counts(
        resources=used + sum(refused.values()),
        used=used,
        refused=dict(sorted(refused.items())),
        patients=rows(_PATIENTS).fetchone()[0],  # NULL, for nobody, does not count
        types=types,
        concepts={
            words[concept]: {"entries": entries, "patients": patients}
            for concept, entries, patients in rows(_BY_CONCEPT)
        },
        beside={words[reason]: count for reason, count in rows(_BESIDE)},
        faults={(file, fault): count for file, fault, count in rows(_FAULTS)},
        closed=rows("SELECT count(*) FROM closed").fetchone()[0],
        standing=standing(spool),
    )


def _types(spool: Spool, words: dict[int, str]) -> dict[str, dict[str, Any]]:
    types: dict[str, dict[str, Any]] = {}
    for kind, reason, count in spool.sql.execute(_BY_TYPE):
        of_type = types.setdefault(words[kind], {"used": 0, "refused": {}})
        if reason is None:
            of_type["used"] = count
        else:
            of_type["refused"][words[reason]] = count
    return {kind: _sorted(types[kind]) for kind in sorted(types)}


def _sorted(of_type: dict[str, Any]) -> dict[str, Any]:
    return {**of_type, "refused": dict(sorted(of_type["refused"].items()))}
