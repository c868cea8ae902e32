"""Links as the benchmark sees them: of the engine, and of the served path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.inference.embedded import EmbeddedServer
from backend.jobs import correlation_scoring, scoring
from backend.jobs.correlation_scoring import Finding, correlate, findings
from backend.twin.correlation import model_inputs
from backend.twin.correlation.examination import examine
from backend.twin.correlation.lag_profile import profiles
from backend.twin.correlation.network import judged
from tests.twin.correlation.made import World, clock
from tests.twin.correlation.made import window as made_window

MADE = made_window(World())
PULSE, WORRY = MADE.biometrics[0], MADE.symptoms[0]
Columns = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Patient:
    biometrics: dict[str, Columns]
    symptoms: dict[str, Columns] = field(
        default_factory=lambda: {"worry": (WORRY.times, WORRY.values)}
    )
    polarity: dict[str, str] = field(
        default_factory=lambda: {"worry": "high_is_better"}
    )
    history_from: np.datetime64 = MADE.history_from
    reports_from: np.datetime64 = MADE.reports_from
    until: np.datetime64 = MADE.until
    max_lag_hours: int = 72


def test_a_finding_per_examined_pair() -> None:
    dead = clock(100), np.ones(100)
    patient = Patient({"dead": dead, "pulse": (PULSE.times, PULSE.values)})
    (found,) = correlate(patient)
    assert isinstance(found, Finding)
    assert (found.biometric, found.symptom) == ("pulse", "worry")
    assert found.published
    assert found.direct
    assert found.lag_hours == pytest.approx(World().lag, abs=1)


def test_a_sleep_value_a_day_is_a_nights_and_an_hourly_one_is_not() -> None:
    hourly = clock(500), np.ones(500)
    nightly = clock(500)[::24], np.ones(21)
    patient = Patient(
        {"sleep_minutes": nightly, "hrv_rmssd_ms": hourly, "steps": nightly}
    )
    streams = correlation_scoring.window(patient).biometrics
    assert [one.nightly for one in streams] == [True, False, False]
    lonely = Patient({"sleep_minutes": (clock(1), np.ones(1))})
    assert not correlation_scoring.window(lonely).biometrics[0].nightly


def test_polarity_is_carried_over() -> None:
    told = correlation_scoring.window(Patient({})).symptoms[0]
    assert told.worse_when == "low"
    silent = Patient({}, polarity={})
    assert correlation_scoring.window(silent).symptoms[0].worse_when is None


@pytest.mark.parametrize("predictor", [correlate, scoring.correlate])
def test_simulated_patients_of_the_benchmark(
    shared: Path,
    monkeypatch: pytest.MonkeyPatch,
    predictor: Callable[[Any], list[Finding]],
) -> None:
    """Others than the benchmark's own: eight of 90 days with 4 reports a day."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(shared / "bench" / "correlation")])
    simulator = import_module("simulator")
    right = false = linked = 0
    for seed in range(8):
        rng = np.random.default_rng([50, seed])
        patient, truth = simulator.simulate(rng, 90, 4)
        for found in predictor(patient):
            at = (
                simulator.BIOMETRICS.index(found.biometric),
                simulator.SYMPTOMS.index(found.symptom),
            )
            told, true = found.published and found.direct, truth.lag[at] >= 0
            linked += true
            right += told and true
            false += told and not true
    assert right / linked > 0.85
    assert false / (8 * 16 - linked) < 0.12


PATIENT = Patient({"pulse": (PULSE.times, PULSE.values)})


def test_the_served_answer_is_that_of_the_shipped_network() -> None:
    """The same by hand: one version, asked once, behind the engine's test."""
    shipped = scoring.shipped_network()
    assert shipped.version is not None
    found = examine(correlation_scoring.window(PATIENT))
    inputs = model_inputs.model_inputs(profiles(found))
    server = EmbeddedServer(scoring.REPOSITORY, trusted=scoring.TRUSTED)
    answer = server.infer("biometric_correlation", shipped.version, inputs, timeout_s=9)
    (expected,) = findings(judged(found, answer["links"]))
    assert scoring.correlate(PATIENT) == [expected]
    assert expected.p_link == pytest.approx(answer["links"][0, 0, 0])
    assert [expected] != correlate(PATIENT)


def test_without_a_trusted_network_the_engine_answers(tmp_path: Path) -> None:
    network = scoring.network_of(scoring.REPOSITORY, trusted=[tmp_path])
    assert network.version is None
    assert scoring.correlate_with(network, PATIENT) == correlate(PATIENT)


def test_a_network_of_other_inputs_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_inputs, "TRANSFORMATION", 99)
    network = scoring.network_of(scoring.REPOSITORY, trusted=scoring.TRUSTED)
    assert network.version is None


def test_what_the_network_does_not_take_the_engine_answers() -> None:
    short = Patient(PATIENT.biometrics, max_lag_hours=48)
    assert scoring.correlate(short) == correlate(short)


def test_the_predictor_needs_no_django() -> None:
    program = (
        "import sys; from backend.jobs.scoring import shipped_network;"
        "print(shipped_network().version, any(m == 'django' for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[2],
        env={k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=True,
    )
    version, django = done.stdout.split()
    assert int(version) >= 1
    assert django == "False"
