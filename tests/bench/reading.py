"""The reader's cost per Observation, as a ratio to parsing its JSON and nothing else.

    python -m tests.bench.reading

Pages of 200 as a server's search gives them: parsed strictly, unwrapped and read into
a record, against `orjson.loads` of the same bytes; collection of garbage is on in both.
What the process holds by then is frozen, as the web process does after start: else each
collection would walk all that was ever loaded, in both, which hides what reading costs.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from backend.twin.record import PatientRecord
from fhir_integration.bundles import matches
from fhir_integration.reader import read_record
from fhir_integration.strict_json import parse

COUNT, PAGE, TURNS = 10_000, 200, 7
BASE = "https://ehr.example/fhir"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
START = datetime(2025, 1, 1, tzinfo=UTC)
Json = dict[str, Any]
Shape = Callable[..., Iterator[Json]]


def _shell(number: int, at: datetime, category: str) -> Json:
    """What every Observation of such a server has."""
    return {
        "resourceType": "Observation",
        "id": f"observation-{number:07}",
        "meta": {
            "versionId": "1",
            "lastUpdated": (at + timedelta(minutes=2)).isoformat(
                timespec="milliseconds"
            ),
            "source": "#a1B2c3D4e5F6g7H8",
        },
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
    }


def heart_rates(count: int = COUNT) -> Iterator[Json]:
    """Hourly heart rates of one patient, 713 bytes each."""
    for number in range(count):
        at = START + timedelta(hours=number)
        local = at.astimezone(datetime.fromisoformat("2025-01-01T00:00+01:00").tzinfo)
        quantity = {"value": 58 + number % 41, "unit": "beats/minute"}
        coding = {"system": "http://loinc.org", "code": "8867-4"}
        yield {
            **_shell(number, at, "vital-signs"),
            "code": {
                "coding": [{**coding, "display": "Heart rate"}],
                "text": "Heart rate",
            },
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": local.isoformat(),
            "issued": at.isoformat(timespec="milliseconds"),
            "performer": [{"reference": "Patient/p1"}],
            "valueQuantity": {**quantity, "system": UCUM, "code": "/min"},
            "device": {"display": "Wrist pulse sensor"},
        }


def diary_entries(count: int = COUNT) -> Iterator[Json]:
    """Mood ratings, diary items with their own range and PHQ-9 totals, by turns."""
    ours = "https://mindtwin.example/fhir/CodeSystem"
    score = {"unit": "{score}", "system": UCUM, "code": "{score}"}
    mark = {"coding": [{"system": f"{ours}/range", "code": "scale"}]}
    own_range = {"low": {"value": 1}, "high": {"value": 7}, "type": mark}
    codes = [
        ("http://loinc.org", "44261-6"),
        (f"{ours}/rating", "mood-0-10"),
        (f"{ours}/diary", "cheerful"),
    ]
    for number in range(count):
        at = START + timedelta(hours=number, minutes=number % 60)
        system, code = codes[number % 3]
        made = {
            **_shell(number, at, "survey"),
            "code": {"coding": [{"system": system, "code": code}]},
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": at.isoformat(),
            "valueQuantity": {"value": 1 + number % 7, **score},
        }
        yield {**made, "referenceRange": [own_range]} if number % 3 == 2 else made


def changed(made: Shape, change: Callable[[Json], Json]) -> Shape:
    """The same with something more, or something else, in each."""
    return lambda count=COUNT: ({**one, **change(one)} for one in made(count))


def _second_coding(one: Json) -> Json:
    vendor = {"system": "urn:oid:1.2.3.4", "code": "PULSE_RATE", "display": "Pulse"}
    return {"code": {**one["code"], "coding": [vendor, *one["code"]["coding"]]}}


def _period(one: Json) -> Json:
    """Steps of the hour before."""
    end = datetime.fromisoformat(one["effectiveDateTime"])
    period = {"start": (end - timedelta(hours=1)).isoformat(), "end": end.isoformat()}
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": "55423-8"}]},
        "effectivePeriod": period,
        "valueQuantity": {**one["valueQuantity"], "unit": "steps", "code": "{steps}"},
    }


def steps(count: int = COUNT) -> Iterator[Json]:
    """Hourly counts of steps."""
    for one in changed(heart_rates, _period)(count):
        del one["effectiveDateTime"]
        yield one


def _panel(one: Json) -> Json:
    """Two components under a code that is not read."""
    value = {"value": 120, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    codes = ("8480-6", "8462-4")
    return {
        "code": _loinc("85354-9"),
        "component": [{"code": _loinc(code), "valueQuantity": value} for code in codes],
    }


def panels(count: int = COUNT) -> Iterator[Json]:
    """Hourly blood pressures, which nothing here reads."""
    for one in changed(heart_rates, _panel)(count):
        del one["valueQuantity"]
        yield one


def totals(count: int = COUNT) -> Iterator[Json]:
    """PHQ-9 totals as integers."""
    for one in diary_entries(3 * count):
        if one["code"]["coding"][0]["code"] == "44261-6":
            del one["valueQuantity"]
            yield {**one, "valueInteger": 7}


def _loinc(code: str) -> Json:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


_NORMAL = {"coding": [{"system": INTERPRETATION, "code": "N", "display": "Normal"}]}
_MORE = {"url": "https://vendor.example/firmware", "valueString": "7.1.4"}
SHAPES: dict[str, Shape] = {
    "an hourly heart rate": heart_rates,
    "the same with a vendor's code first": changed(heart_rates, _second_coding),
    "the same with an interpretation": changed(
        heart_rates, lambda _: {"interpretation": [_NORMAL]}
    ),
    "the same with an extension": changed(
        heart_rates, lambda _: {"extension": [_MORE]}
    ),
    "the same with an identifier": changed(
        heart_rates,
        lambda one: {"identifier": [{"system": "urn:x", "value": one["id"]}]},
    ),
    "steps of a period": steps,
    "a diary entry": diary_entries,
    "a total as an integer": totals,
    "a code that is not read": changed(
        heart_rates, lambda _: {"code": _loinc("29463-7")}
    ),
    "a panel of two that are not read": panels,
}


def pages(observations: Iterator[Json]) -> list[bytes]:
    """Searchset Bundles of 200, as bytes."""
    entries = [
        {
            "fullUrl": f"{BASE}/Observation/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in observations
    ]
    return [
        orjson.dumps(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": len(entries),
                "entry": entries[first : first + PAGE],
            }
        )
        for first in range(0, len(entries), PAGE)
    ]


def read(bodies: list[bytes]) -> PatientRecord:
    """The record that these pages make."""
    return read_record(
        (resource for body in bodies for resource in matches(parse(body))),
        ehr_patient="p1",
        since=date(2020, 1, 1),
        until=date(2030, 1, 1),
        base_url=BASE,
    )


def load(bodies: list[bytes]) -> None:
    """The least that can be done."""
    for body in bodies:
        orjson.loads(body)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compared(bodies: list[bytes]) -> tuple[float, float]:
    """Median seconds per Observation, read and merely parsed, turn by turn."""
    turns = [
        (_seconds(lambda: read(bodies)), _seconds(lambda: load(bodies)))
        for _ in range(TURNS)
    ]
    ours, least = (
        statistics.median(times) / COUNT for times in zip(*turns, strict=True)
    )
    return ours, least


def rows() -> list[tuple[str, float, float]]:
    """Lines of the table of speeds: what, ours and the least, seconds."""
    gc.collect()
    gc.freeze()
    return [
        (f"reading {name}, parsing included / orjson.loads", *compared(pages(made())))
        for name, made in SHAPES.items()
    ]


def _resident() -> float:
    """Memory that this process holds, MiB."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Print the ratios, and by how much a record of each kind grows the process."""
    gc.collect()
    gc.freeze()
    for name, made in SHAPES.items():
        bodies = pages(made())
        size = len(orjson.dumps(next(made(1))))
        before = _resident()
        record = read(bodies)
        grown = _resident() - before
        count = sum(map(len, record.streams))
        count += sum(len(series.entries) for series in record.series)
        ours, least = compared(bodies)
        sys.stdout.write(
            f"{name}: {count} values out of {size} bytes each, "
            f"{1e6 * ours:.2f} / {1e6 * least:.2f} us = {ours / least:.2f}, "
            f"memory + {grown:.1f} MiB\n"
        )


if __name__ == "__main__":
    main()
