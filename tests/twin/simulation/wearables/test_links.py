"""Links: how many, how strong, how late, through which kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.twin.simulation.wearables.family import PLAIN, WIDE, Family
from backend.twin.simulation.wearables.links import (
    EXPLAINED,
    NARROW,
    Links,
    draw_links,
    drive,
    noise_share,
    smooth,
)
from backend.twin.simulation.wearables.memory import remember, standardised

FREE, HOURLY = np.ones((3000, 4), bool), np.zeros((3000, 4), bool)


def drawn(family: Family, daily: np.ndarray = HOURLY, **other: np.ndarray) -> Links:
    return draw_links(
        np.random.default_rng(1), family, other.get("free", FREE), daily, symptoms=3
    )[0]


@pytest.mark.parametrize(("prior", "weight"), [(0.05, (0.1, 0.7)), (0.3, (0.1, 0.4))])
def test_pairs_are_linked_as_often_as_the_prior_says(
    prior: float, weight: tuple[float, float]
) -> None:
    family = replace(WIDE, link_prior=(prior, prior), weight=weight)
    links = drawn(family)
    assert len(links.weight) / 36_000 == pytest.approx(prior, rel=0.05)
    assert weight[0] <= np.abs(links.weight).min()
    assert np.abs(links.weight).max() <= weight[1]
    assert abs((links.weight > 0).mean() - 0.5) < 0.03


def test_the_prior_is_told() -> None:
    rng = np.random.default_rng(1)
    links, prior = draw_links(rng, WIDE, FREE, HOURLY, symptoms=3)
    count = np.bincount(links.patient, minlength=len(prior))
    assert np.corrcoef(count, prior)[0, 1] > 0.5
    assert 0.05 <= prior.min() < 0.06
    assert 0.49 < prior.max() <= 0.5


@pytest.mark.parametrize("biometrics", [4, 12])
def test_links_never_explain_a_whole_symptom(biometrics: int) -> None:
    free = np.ones((500, biometrics), bool)
    family = replace(WIDE, link_prior=(0.5, 0.5))
    links = drawn(family, ~free, free=free)
    share = noise_share(links, (500, 3))
    assert share.min() > 1 - EXPLAINED
    # those that were taken away were any: the last biometric has as many as the first
    count = np.bincount(links.biometric, minlength=biometrics)
    assert count.min() > 0.8 * count.max()


def test_a_biometric_that_is_not_free_has_no_links() -> None:
    free = FREE.copy()
    free[:, 1] = False
    assert set(drawn(WIDE, free=free).biometric) == {0, 2, 3}


def test_lags_are_any_or_early_or_of_whole_nights() -> None:
    plain = drawn(PLAIN)
    assert set(plain.lag) == set(range(73))
    assert (plain.lag <= 12).mean() == pytest.approx(13 / 73, abs=0.02)
    wide = drawn(WIDE)
    assert (wide.lag <= 12).mean() == pytest.approx(0.25 + 0.75 * 13 / 73, abs=0.03)
    nights = drawn(WIDE, FREE)
    assert (nights.lag % 24 == 0).mean() == pytest.approx(0.53, abs=0.04)


def test_kernels_come_in_their_shares() -> None:
    links = drawn(WIDE)
    threshold = np.isfinite(links.threshold)
    regime = (links.before < 1) | (links.after < 1)
    assert threshold.mean() == pytest.approx(0.1, abs=0.02)
    assert (links.width > NARROW).mean() == pytest.approx(0.25 * 0.9, abs=0.02)
    assert set(links.width) == {3, *range(7, 24, 2)}
    assert (links.width[threshold] == NARROW).all()
    assert regime.mean() == pytest.approx(0.12, abs=0.02)
    assert ((links.before == 1) | (links.after == 1)).all()


def one_link(**changed: float) -> Links:
    """A link of weight 0.5 at lag 10 for each of 200 patients."""
    values = {
        "symptom": 0,
        "biometric": 1,
        "weight": 0.5,
        "lag": 10,
        "width": 3,
        "threshold": np.nan,
        "change": 0.5,
        "before": 1.0,
        "after": 1.0,
    }
    columns = {name: np.full(200, of) for name, of in (values | changed).items()}
    return Links(patient=np.arange(200), **columns)


@pytest.fixture(scope="module")
def cores() -> np.ndarray:
    tau = np.tile([20.0, 6.0], (200, 1))
    return standardised(remember(np.random.default_rng(1), tau, 1000))


@pytest.mark.parametrize(
    ("kernel", "share"),
    [
        ({}, (1.0, 1.0)),
        ({"width": 13}, (0.75, 0.95)),
        ({"width": 23}, (0.6, 0.85)),
        ({"threshold": 0.5}, (0.7, 0.8)),
        ({"before": 0.0}, (0.45, 0.55)),
        ({"after": 0.5, "change": 0.3}, (0.6, 0.7)),
    ],
)
def test_the_true_weight_is_what_a_regression_finds(
    cores: np.ndarray, kernel: dict[str, float], share: tuple[float, float]
) -> None:
    driven = drive(one_link(**kernel), cores, symptoms=1)
    past = np.roll(smooth(cores)[:, 1], 10, axis=1)[:, 168:]
    found = (past * driven.symptoms[:, 0, 168:]).mean(1) / (past**2).mean(1)
    assert found.mean() == pytest.approx(driven.weight.mean(), abs=0.02)
    low, high = share
    assert 0.5 * low - 1e-3 <= driven.weight.mean() <= 0.5 * high + 1e-3


@pytest.mark.parametrize("kernel", [{}, {"width": 23}, {"threshold": 1.0}])
def test_the_true_lag_is_where_the_correlation_is_largest(
    cores: np.ndarray, kernel: dict[str, float]
) -> None:
    symptoms = drive(one_link(**kernel), cores, symptoms=1).symptoms[:, 0]
    past = smooth(cores)[:, 1]
    found = [
        (np.roll(past, lag, axis=1) * symptoms)[:, 100:].mean() for lag in range(40)
    ]
    assert int(np.argmax(found)) == 10


def test_links_of_one_symptom_add_up(cores: np.ndarray) -> None:
    one, two = one_link(), one_link(biometric=0, weight=-0.3, lag=0)
    order = np.argsort(np.tile(np.arange(200), 2), kind="stable")
    columns = zip(one, two, strict=True)
    both = Links(*(np.concatenate(pair)[order] for pair in columns))
    apart = [drive(each, cores, symptoms=2).symptoms for each in (one, two)]
    together = drive(both, cores, symptoms=2).symptoms
    np.testing.assert_allclose(together, apart[0] + apart[1], atol=1e-5)
    assert (together[:, 1] == 0).all()  # the second symptom has no links


def test_no_links_move_nothing(cores: np.ndarray) -> None:
    none = Links(*(column[:0] for column in one_link()))
    driven = drive(none, cores, symptoms=2)
    assert driven.symptoms.shape == (200, 2, 1000)
    assert (driven.symptoms == 0).all()
    assert len(driven.weight) == 0
