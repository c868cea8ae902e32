"""The served path as a benchmark predictor; needs no Django set-up and no database.

    score.py --predictor backend.jobs.scoring:forecast
    bench.py --predictor backend.jobs.scoring:correlate

The very functions that answer the API: windows, embedded server, blend, fallback. The
one step it replaces is the channel table: the highest verified version of each model
answers, which is what an empty database promotes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from backend.inference.catalogue import latest_verified
from backend.inference.embedded import EmbeddedServer
from backend.inference.keys import SHIPPED
from backend.jobs.correlation_scoring import Finding, Patient, findings
from backend.jobs.correlation_scoring import window as signals_of
from backend.predictions.asking import asker
from backend.twin.correlation import model_inputs
from backend.twin.correlation.examination import Examination, examine
from backend.twin.correlation.lag_profile import profiles
from backend.twin.correlation.network import judged, takes
from backend.twin.ensemble import AskAll
from backend.twin.features import ForecastWindow, forecast_window, schema_hash
from backend.twin.forecast import WEIGHTS, forecast_all
from backend.twin.ports import ModelServer
from backend.twin.record import Entry, Series
from backend.twin.scales import local_scale
from backend.twin.trajectory import HORIZON, LEVELS, Forecast, ModelUse

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = ROOT / "model_repository"
TRUSTED = (SHIPPED, ROOT / "var" / "keys" / "trusted")  # ours, and a local export's
SYSTEM = "https://mindtwin.example/fhir/CodeSystem/diary"
TIMEOUT_S = 60.0  # a benchmark may wait
FOLDS = 4
Weights = Mapping[str, float]  # per model, as in backend.twin.forecast


class DailySeries(Protocol):
    """What the benchmark hands over: consecutive days, NaN where nothing was said.

    `scale_min` and `scale_max` are the scale's ends, or None where they are unknown;
    `patient` is an opaque name.
    """

    dates: np.ndarray
    values: np.ndarray
    scale_min: float | None
    scale_max: float | None
    patient: str


class Members(NamedTuple):
    """The models that may answer, and how to ask them."""

    ask_all: AskAll
    uses: Mapping[str, ModelUse]


class Network(NamedTuple):
    """The correlation network that may answer; without a version the engine alone."""

    server: ModelServer
    version: int | None

    def answer(self, found: Examination) -> np.ndarray | None:
        """What it says of an examination, or None where it cannot be asked."""
        if self.version is None or not takes(found):
            return None
        asked = model_inputs.model_inputs(profiles(found))
        told = self.server.infer(
            model_inputs.MODEL, self.version, asked, timeout_s=TIMEOUT_S
        )
        return told[model_inputs.OUTPUT]


def forecast(batch: Sequence[DailySeries]) -> np.ndarray:
    """Quantiles [series, 14, 11] of the 14 days after each series' last date.

    A served forecast starts after the last entry. Where the diary's last days are
    empty, its first days lie in the past and are dropped, and its last day stands for
    the days beyond it.
    """
    return forecast_with(shipped(), batch)


def answers(batch: Sequence[DailySeries]) -> list[Forecast]:
    """The served forecasts, as the API gives them: from each series' last entry on."""
    return answers_with(shipped(), batch)


def correlate(patient: Patient) -> list[Finding]:
    """Every examined pair of one patient, as the served correlation says it."""
    return correlate_with(shipped_network(), patient)


def correlate_with(network: Network, patient: Patient) -> list[Finding]:
    """`correlate` with a given network."""
    found = examine(signals_of(patient))
    return findings(judged(found, network.answer(found)))


def forecast_with(
    members: Members, batch: Sequence[DailySeries], *, weights: Weights = WEIGHTS
) -> np.ndarray:
    """`forecast` with given members and weights."""
    return aligned(answers_with(members, batch, weights=weights), batch)


def answers_with(
    members: Members, batch: Sequence[DailySeries], *, weights: Weights = WEIGHTS
) -> list[Forecast]:
    """`answers` with given members and weights; each is asked for on its last date.

    What was fitted on real people is taken from those outside the patient's fold.
    """
    groups: dict[tuple[date, str], list[int]] = {}
    for i, series in enumerate(batch):
        key = _day(series.dates[-1]), fold(series.patient)
        groups.setdefault(key, []).append(i)
    found: dict[int, Forecast] = {}
    for (as_of, apart), rows in groups.items():
        made = forecast_all(
            [window(batch[i]) for i in rows],
            ask_all=members.ask_all,
            weights=weights,
            uses=members.uses,
            as_of=as_of,
            fold=apart,
        )
        found.update(zip(rows, made, strict=True))
    return [found[i] for i in range(len(batch))]


def aligned(made: Sequence[Forecast], batch: Sequence[DailySeries]) -> np.ndarray:
    """The answers' days as [series, 14, 11], counted from each series' last date."""
    parts = [
        _shifted(answer, _day(series.dates[-1]))
        for answer, series in zip(made, batch, strict=True)
    ]
    return np.array(parts).reshape(len(parts), HORIZON, len(LEVELS))


def fold(patient: str) -> str:
    """The quarter of all patients that one belongs to, by name, the same everywhere."""
    return str(int(hashlib.sha256(patient.encode()).hexdigest(), 16) % FOLDS)


def window(series: DailySeries) -> ForecastWindow:
    """The window of a benchmark series; without a scale its own range stands in."""
    seen = np.flatnonzero(~np.isnan(series.values))
    low, high = _ends(series)
    entries = tuple(
        Entry(_day(series.dates[i]), float(series.values[i]), "") for i in seen
    )
    scale = local_scale("symptom", system=SYSTEM, low=low, high=high)
    return forecast_window(Series(scale, entries), _day(series.dates[-1]))


@cache
def shipped() -> Members:
    """The models of the repository beside the code."""
    return members_of(REPOSITORY, trusted=TRUSTED)


@cache
def shipped_network() -> Network:
    """The correlation network of the repository beside the code."""
    return network_of(REPOSITORY, trusted=TRUSTED)


def network_of(repository: Path, *, trusted: Iterable[Path]) -> Network:
    """The highest verified version of the network, if it takes our inputs."""
    places = tuple(trusted)
    server = EmbeddedServer(repository, trusted=places)
    found = latest_verified(server.catalogue).get(model_inputs.MODEL)
    expected = model_inputs.schema_hash()
    if found is None or found.card["feature_schema_hash"] != expected:
        return Network(server, None)
    served = {found.model: [found.version]}
    server = EmbeddedServer(repository, versions=served, trusted=places)
    return Network(server, found.version)


def members_of(repository: Path, *, trusted: Iterable[Path]) -> Members:
    """The highest verified version of each weighted model better than the fallback."""
    places = tuple(trusted)
    server = EmbeddedServer(repository, trusted=places)
    latest = latest_verified(server.catalogue)
    uses = {
        model: ModelUse(
            model=model,
            version=found.version,
            sha256=found.sha256,
            channel="production",
            weight=WEIGHTS[model],
        )
        for model, found in latest.items()
        if WEIGHTS.get(model, 0.0) > 0.0
        and found.card["beats_climatology"]["daily"]
        and found.card["feature_schema_hash"] == schema_hash()
    }
    served = {model: [use.version] for model, use in uses.items()}
    server = EmbeddedServer(repository, versions=served, trusted=places)
    return Members(asker(server, uses, timeout_s=TIMEOUT_S), uses)


def _ends(series: DailySeries) -> tuple[float, float]:
    """The scale's ends; each unknown one is the furthest value seen."""
    low, high = series.scale_min, series.scale_max
    low = float(np.nanmin(series.values)) if low is None else float(low)
    high = float(np.nanmax(series.values)) if high is None else float(high)
    return low, high if high > low else low + 1.0  # all equal: any width will do


def _shifted(answer: Forecast, last: date) -> list[tuple[float, ...]]:
    """The forecast's rows for the 14 days after `last`."""
    late = (last - answer.last_entry).days
    return [answer.quantiles[min(late + day, HORIZON - 1)] for day in range(HORIZON)]


def _day(moment: np.datetime64) -> date:
    day: date = moment.astype("datetime64[D]").item()
    return day
