"""The compact net: starts as the engine, and what it must not look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.twin.correlation.lag_profile import CHANNELS, PAIR_CONTEXT
from backend.twin.correlation.model_inputs import BIOMETRICS, LAGS
from backend.twin.simulation.wearables.family import PLAIN
from export_scripts.correlation_data import Rows, drawn
from export_scripts.correlation_net import SIGNED, BiometricCorrelation, Size, loss

TINY = Size(lags=6, token=8, heads=2, layers=1, spacings=(1, 9))
FAMILY = replace(PLAIN, weight=(0.5, 0.6))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return drawn(np.random.default_rng(3), FAMILY, people=2, shape=(45, 3, 2))


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def stirred(size: Size = TINY) -> BiometricCorrelation:
    """A net whose last layers are not zero."""
    torch.manual_seed(1)
    net = BiometricCorrelation(size)
    for last in (net.lag, net.pair):
        torch.nn.init.normal_(last.weight, std=0.3)
    return net.eval()


def answer(net: BiometricCorrelation, inputs: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        found: Tensor = net(**inputs)
    return found


def test_the_compact_size_is_small() -> None:
    count = sum(p.numel() for p in BiometricCorrelation(Size()).parameters())
    assert 80_000 < count < 150_000


def test_an_untrained_net_is_the_engine(rows: Rows) -> None:
    inputs = tensors({**rows.inputs()})
    inputs["symptoms"][:, -1] = 0  # a prior of a half, as the engine's
    found = answer(BiometricCorrelation(TINY), inputs)
    p_link = inputs["pairs"][:, :, PAIR_CONTEXT.index("p_link")].clamp(0, 1 - 1e-5)
    torch.testing.assert_close(found[:, :3, 0], p_link[:, :3], atol=2e-5, rtol=0)
    posterior = inputs["profiles"][:, :3, :, CHANNELS.index("lag_posterior")]
    sure = p_link[:, :3] > 0.9
    given = posterior / posterior.sum(2, keepdim=True)
    torch.testing.assert_close(found[:, :3, 3:][sure], given[sure], atol=2e-3, rtol=0)


def test_a_rarer_prior_lowers_every_probability(rows: Rows) -> None:
    inputs = tensors(rows.inputs())
    inputs["symptoms"][:, -1] = 0
    even = answer(BiometricCorrelation(TINY), inputs)[:, :3, 0]
    inputs["symptoms"][:, -1] = -3
    assert (answer(BiometricCorrelation(TINY), inputs)[:, :3, 0] < even).all()


def test_what_is_absent_is_not_answered_and_not_looked_at(rows: Rows) -> None:
    net, inputs = stirred(), tensors(rows.inputs())
    found = answer(net, inputs)
    assert not found[:, 3:].any()
    few = {n: a if n == "symptoms" else a[:, :3] for n, a in inputs.items()}
    torch.testing.assert_close(found[:, :3], answer(net, few), atol=1e-5, rtol=0)


def test_the_lags_probabilities_sum_to_one(rows: Rows) -> None:
    found = answer(stirred(), tensors(rows.inputs()))[:, :3]
    torch.testing.assert_close(found[..., 3:].sum(2), torch.ones(found.shape[:2]))
    assert ((found[..., 0] >= 0) & (found[..., 0] <= 1)).all()
    assert (found[..., 2] > 0).all()


def test_a_turned_scale_turns_only_the_coefficient(rows: Rows) -> None:
    net, inputs = stirred(), tensors(rows.inputs())
    before = answer(net, inputs)
    for channel in SIGNED:
        inputs["profiles"][:, 1, :, channel] *= -1
    after = answer(net, inputs)
    before[:, 1, 1] *= -1
    torch.testing.assert_close(after, before)


def test_biometrics_have_no_order(rows: Rows) -> None:
    net, inputs = stirred(), tensors(rows.inputs())
    order = torch.randperm(BIOMETRICS, generator=torch.Generator().manual_seed(1))
    moved = {n: a if n == "symptoms" else a[:, order] for n, a in inputs.items()}
    expected = answer(net, inputs)[:, order]
    torch.testing.assert_close(answer(net, moved), expected, atol=1e-5, rtol=0)


def test_biometrics_are_heard_by_each_other(rows: Rows) -> None:
    net, inputs = stirred(), tensors(rows.inputs())
    before = answer(net, inputs)
    inputs["profiles"][:, 0] *= 0.3
    after = answer(net, inputs)
    assert (before - after)[:, 1, 0].abs().max() > 1e-4


def made_up(p_link: float, size: float, spread: float, lag: int) -> Tensor:
    found = torch.full((1, 1, 3 + len(LAGS)), 1e-3)
    found[..., :3] = torch.tensor([p_link, size, spread])
    found[..., 3 + lag] = 0.9
    return found


def true(**parts: float) -> dict[str, Tensor]:
    each = {"linked": 1.0, "lag": 40.0, "weight": 0.4, "scored": 1.0} | parts
    return {name: torch.full((1, 1), value) for name, value in each.items()}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((0.9, 0.4, 0.1, 40), (0.4, 0.4, 0.1, 40)),
        ((0.9, 0.4, 0.1, 40), (0.9, 0.4, 0.1, 41)),
        ((0.9, 0.4, 0.1, 40), (0.9, 0.7, 0.1, 40)),
        ((0.9, 0.4, 0.1, 40), (0.9, 0.4, 0.5, 40)),
        ((0.9, 0.7, 0.2, 40), (0.9, 0.7, 0.05, 40)),
    ],
)
def test_each_part_of_the_loss_counts(
    better: tuple[float, float, float, int], worse: tuple[float, float, float, int]
) -> None:
    assert loss(made_up(*better), true()) < loss(made_up(*worse), true())


@pytest.mark.parametrize(
    "parts",
    [
        {"scored": 0.0},
        {"linked": 0.0, "lag": -1.0, "weight": float("nan")},
        {"lag": -1.0, "weight": float("nan")},
    ],
)
def test_the_loss_is_finite_where_there_is_nothing_to_learn(
    parts: dict[str, float],
) -> None:
    found = made_up(0.5, 0.4, 0.1, 40).requires_grad_()
    total = loss(found, true(**parts))
    total.backward()
    assert torch.isfinite(total)
    assert found.grad is not None
    assert torch.isfinite(found.grad).all()
