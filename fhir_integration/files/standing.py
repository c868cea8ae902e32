"""Where in the files the refused resources stand, so that they can be found.

Of files with lines a place is the line, of others the number of the resource in the
file, from 1 on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.twin.record import Reason
from fhir_integration.files.spool import Spool

NAMED = 3  # places for each reason
# What a record is full of without anything being wrong with it.
BULK = (
    Reason.NOT_READ,
    Reason.UNKNOWN_CODE,
    Reason.POINTS_ELSEWHERE,
    Reason.DUPLICATE,
)

_BY_FILE = """
SELECT file, word, count(*) FROM verdict JOIN word ON number = reason
GROUP BY file, word ORDER BY file, word
"""
_PLACES = """
SELECT word, file, stands FROM (
    SELECT reason, file, stands, row_number() OVER (
        PARTITION BY reason ORDER BY file, stands, seq
    ) AS nth
    FROM verdict WHERE reason IS NOT NULL
) JOIN word ON number = reason WHERE nth <= ? ORDER BY word, nth
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """`by_file`: by number of the file, how many of each reason. `places`: by reason,
    but for those of BULK, the first few as (number of the file, place).
    """

    by_file: dict[int, dict[str, int]] = field(default_factory=dict)
    places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def standing(spool: Spool) -> Standing:
    """Of everything that the verdict refuses."""
    by_file: dict[int, dict[str, int]] = {}
    for file, word, count in spool.sql.execute(_BY_FILE):
        by_file.setdefault(file, {})[word] = count
    places: dict[str, list[tuple[int, int]]] = {}
    for word, file, place in spool.sql.execute(_PLACES, (NAMED,)):
        if word not in BULK:
            places.setdefault(word, []).append((file, place))
    return Standing(by_file, places)
