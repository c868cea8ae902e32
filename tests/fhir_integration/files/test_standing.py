"""Where refused resources stand, also after a run that was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.twin.record import Reason
from fhir_integration.files import importing
from fhir_integration.files.importing import Import, Progress
from fhir_integration.files.verdict import Counts
from tests.fhir_integration.files.made_files import (
    UNTIL,
    bundle,
    counted,
    lines,
    score,
    whole,
)

OTHER = {"resourceType": "Encounter", "id": "e"}


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "f"
    early = [score(f"o{n}", n, status="preliminary") for n in range(5)]
    path = lines(made / "a.ndjson", [OTHER, *early, score("x", 9)])
    path.write_bytes(b"\n\n" + path.read_bytes() + b"{torn\n")
    whole(made / "b.json", bundle(OTHER, score("y", 1, status="cancelled"), {}))
    return made


def expect(counts: Counts) -> None:
    assert counts.standing.by_file == {
        0: {"malformed": 1, "not-final": 5, "type-not-read": 1},
        1: {"cancelled": 1, "not-fhir": 1, "type-not-read": 1},
    }
    assert counts.standing.places == {
        "cancelled": [(1, 2)],
        "malformed": [(0, 10)],
        "not-fhir": [(1, 3)],
        "not-final": [(0, 4), (0, 5), (0, 6)],
    }


def test_lines_and_resources_are_counted_from_one(tmp_path: Path) -> None:
    expect(counted(folder(tmp_path), tmp_path / "spool"))


def test_what_a_record_is_full_of_is_counted_and_not_named(tmp_path: Path) -> None:
    twice = [score("a", 1), score("a", 1)]
    counts = counted(lines(tmp_path / "a.ndjson", twice), tmp_path / "spool")
    assert counts.standing.by_file == {0: {"duplicate": 1}}
    assert counts.standing.places == {}


@pytest.mark.parametrize("after", range(1, 10))
def test_a_run_that_goes_on_counts_the_lines_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 2)
    path, spool = folder(tmp_path), tmp_path / "spool"

    def tick(progress: Progress) -> None:
        if progress.resources >= after and progress.stage == "reading":
            raise KeyboardInterrupt

    first = Import(path, spool, until=UNTIL)
    with pytest.raises(KeyboardInterrupt):
        first.run(tick)
    first.close()
    again = Import(path, spool, until=UNTIL)
    expect(again.run())
    again.finish()


def test_a_document_with_more_than_memory_holds_is_set_down_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_HELD", 3)
    spool = tmp_path / "spool"
    path = whole(tmp_path / "a.json", bundle(*(score(f"o{n}", n) for n in range(20))))

    def cut(progress: Progress) -> None:
        if progress.resources >= 20:
            raise KeyboardInterrupt

    first = Import(path, spool, until=UNTIL)
    most: list[int] = []
    monkeypatch.setattr(first._rows, "write", lambda: most.append(len(first._rows))
                        or type(first._rows).write(first._rows))  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        first.run(cut)
    first.close()
    assert max(most) == 3
    again = Import(path, spool, until=UNTIL)
    assert again.run().used == 20  # nothing of the document was kept before it ended
    again.finish()


def test_the_samples_of_one_resource_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_integration.kinds.sampled.MAX_SAMPLES", 3)
    rate = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    origin = {"value": 0, "code": "/min", "system": "http://unitsofmeasure.org"}
    packed = {"origin": origin, "period": 1000, "dimensions": 1, "data": "60 61"}
    part = {"code": rate, "valueSampledData": packed}
    whole_one = score("a", 1, code=rate, valueQuantity=None, component=[part, part])
    whole_one["effectiveDateTime"] = "2026-02-01T00:00:00Z"
    path = lines(tmp_path / "a.ndjson", [whole_one])
    assert counted(path, tmp_path / "spool").refused == {Reason.MALFORMED: 1}
