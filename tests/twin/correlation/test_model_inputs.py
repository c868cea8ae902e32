"""What the correlation network takes: places, order, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation import model_inputs as module
from backend.twin.correlation.lag_profile import CHANNELS, Profiles, profile
from backend.twin.correlation.model_inputs import (
    ANSWER,
    BIOMETRICS,
    COLUMNS,
    LAGS,
    SHAPES,
    model_inputs,
    schema_hash,
)
from tests.twin.correlation.made import noise_stream, window, with_biometrics

MADE = window()
PULSE = MADE.biometrics[0]


@pytest.fixture(scope="module")
def made() -> Profiles:
    return profile(with_biometrics(MADE, PULSE, noise_stream("noise", 3, PULSE)))


def test_every_column_stands_in_its_place(made: Profiles) -> None:
    found = model_inputs(made)
    assert {n: a.shape[1:] for n, a in found.items()} == SHAPES
    assert {n: a.shape[-1] for n, a in found.items()} == {
        n: len(columns) for n, columns in COLUMNS.items()
    }
    assert {a.dtype for a in found.values()} == {np.dtype(np.float32)}
    for at in range(len(CHANNELS)):
        channel = found["profiles"][:, :2, :, at]
        np.testing.assert_array_equal(channel, made.values[:, :, at])
    np.testing.assert_array_equal(found["pairs"][:, :2], made.pairs)
    np.testing.assert_array_equal(found["symptoms"][:, :-1], made.symptoms)


def test_absent_biometrics_are_zero(made: Profiles) -> None:
    found = model_inputs(made)
    assert not found["profiles"][:, 2:].any()
    assert not found["pairs"][:, 2:].any()


@pytest.mark.parametrize(("prior", "odds"), [(0.5, 0.0), (0.1, -2.1972246)])
def test_the_prior_is_told_in_log_odds(
    made: Profiles, prior: float, odds: float
) -> None:
    found = model_inputs(made, prior_link=prior)["symptoms"][:, -1]
    assert found.tolist() == pytest.approx([odds])


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, float("nan")])
def test_a_prior_is_a_probability(made: Profiles, prior: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        model_inputs(made, prior_link=prior)


def test_other_lags_are_refused(made: Profiles) -> None:
    with pytest.raises(ValueError, match="lags"):
        model_inputs(replace(made, lags=made.lags + 1))


def test_too_many_biometrics_are_refused(made: Profiles) -> None:
    many = np.repeat(made.values, BIOMETRICS, axis=1)
    with pytest.raises(ValueError, match="at most 12"):
        model_inputs(replace(made, values=many))


def test_the_answer_names_every_lag() -> None:
    assert len(ANSWER) == 3 + len(LAGS)
    assert (ANSWER[3], ANSWER[-1]) == ("lag_-24", "lag_72")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("TRANSFORMATION", 2),
        ("LAGS", LAGS[1:]),
        ("ANSWER", ANSWER[::-1]),
        ("COLUMNS", {**COLUMNS, "pairs": COLUMNS["pairs"][::-1]}),
    ],
)
def test_the_hash_is_of_all_that_is_shared(
    monkeypatch: pytest.MonkeyPatch, name: str, other: object
) -> None:
    before = schema_hash()
    monkeypatch.setattr(module, name, other)
    assert schema_hash() != before
