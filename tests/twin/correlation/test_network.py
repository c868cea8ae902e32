"""The network's word behind the engine's test: what it may decide, and what not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backend.twin.correlation.engine import Rule, links
from backend.twin.correlation.examination import Examination, examine
from backend.twin.correlation.link import Link
from backend.twin.correlation.model_inputs import ANSWER, BIOMETRICS, LAGS
from backend.twin.correlation.network import judged, takes
from backend.twin.correlation.streams import BiometricStream
from backend.twin.errors import ModelRefused
from tests.twin.correlation.made import (
    HOUR,
    START,
    World,
    clock,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

MADE = window(World(lag=20))
PULSE, WORRY = MADE.biometrics[0], MADE.symptoms[0]
DEAD = BiometricStream("dead", clock(100), np.ones(100))
FEW = replace(WORRY, name="few", times=WORRY.times[:9], values=WORRY.values[:9])
FOUND = examine(
    with_symptoms(
        with_biometrics(MADE, DEAD, PULSE, noise_stream("noise", 5, PULSE)), FEW, WORRY
    )
)
PULSE_AT, NOISE_AT, WORRY_AT = 1, 2, 1  # places in the answer
ENGINE = {(one.biometric, one.symptom): one for one in links(FOUND)}


def answer(
    found: Examination = FOUND,
    *,
    p_link: float = 0.9,
    size: float = 0.5,
    spread: float = 0.1,
    lag: int = 33,
) -> np.ndarray:
    """The same of every pair: a lag that is quite sure."""
    made = np.zeros((len(found.fits), BIOMETRICS, len(ANSWER)), np.float32)
    made[..., :3] = p_link, size, spread
    made[..., ANSWER.index(f"lag_{lag}")] = 1
    return made


def told(made: np.ndarray | None, rule: Rule | None = None) -> dict[str, Link]:
    """The links of the symptom that can be examined."""
    found = judged(FOUND, made, rule=rule)
    return {one.biometric: one for one in found if one.symptom == "worry"}


def test_without_an_answer_the_engine_judges_alone() -> None:
    assert judged(FOUND, None) == links(FOUND)
    strict = Rule(level=1e-12)
    assert judged(FOUND, None, rule=strict) == links(FOUND, rule=strict)
    assert {one.method for one in judged(FOUND, None)} == {"engine"}


def test_what_passes_has_the_networks_figures_and_the_engines_p_values() -> None:
    link, plain = told(answer())["pulse"], ENGINE["pulse", "worry"]
    assert (link.published, link.direct, link.method) == (True, True, "network")
    assert link.p_link == pytest.approx(0.9)
    assert (link.coefficient, link.ci) == (
        pytest.approx(0.5),
        (pytest.approx(0.5 - 0.16449), pytest.approx(0.5 + 0.16449)),
    )
    assert (link.lag_hours, link.lag_interval) == (33.0, (33.0, 33.0))
    for name in ("p_value", "q_value", "p_marginal", "n_eff", "n", "coverage"):
        assert getattr(link, name) == getattr(plain, name), name


def test_no_word_of_the_network_publishes_what_the_test_stops() -> None:
    link, plain = told(answer(p_link=1.0))["noise"], ENGINE["noise", "worry"]
    assert plain.p_value is not None
    assert plain.p_value > 0.05
    assert (link.published, link.direct) == (False, None)
    assert link.p_link == 1.0
    assert link.reasons == plain.reasons


@pytest.mark.parametrize(("p_link", "direct"), [(0.8, True), (0.6, False)])
def test_what_the_network_doubts_is_no_direct_link(p_link: float, direct: bool) -> None:
    link, plain = told(answer(p_link=p_link))["pulse"], ENGINE["pulse", "worry"]
    assert link.direct is direct
    if not direct:  # an association then, in the engine's figures
        assert link.p_link == pytest.approx(p_link)
        assert link.method == "network"
        assert link.lag_hours == plain.lag_hours


def test_another_rule_takes_the_place_of_the_networks() -> None:
    assert not told(answer(), Rule(least_p=0.95))["pulse"].direct
    assert told(answer(p_link=0.5), Rule(least_p=0.4, false_share=1))["pulse"].direct


def test_doubt_about_a_link_widens_its_lag() -> None:
    made = answer(lag=30)
    made[..., 3:] = 0.0
    made[..., 3 + LAGS.index(28) : 3 + LAGS.index(33)] = 0.05, 0.2, 0.5, 0.2, 0.05
    widths = []
    for p_link in (1.0, 0.7, 0.1):
        made[..., 0] = p_link
        link = told(made)["noise"]
        assert link.lag_interval is not None
        assert link.lag_hours == 30.0
        widths.append(link.lag_interval[1] - link.lag_interval[0])
    assert widths[0] == 2
    assert widths[0] < widths[1] < widths[2]


def test_a_nights_lag_has_no_hour() -> None:
    at = START + 24 * HOUR * np.arange(43)
    night = BiometricStream("sleep", at, np.random.default_rng(4).random(43), True)
    found = examine(with_biometrics(MADE, night))
    (link,) = judged(found, answer(found, lag=20))
    assert link.lag_unit == "nights"
    assert (link.lag_hours, link.lag_interval) == (24.0, (12.0, 36.0))


def test_what_cannot_be_examined_is_told_as_ever() -> None:
    for link in judged(FOUND, answer()):
        if link.symptom == "few" or link.biometric == "dead":
            assert link == ENGINE[link.biometric, link.symptom]
    bare = examine(with_symptoms(MADE, FEW))
    assert judged(bare, answer(bare)) == links(bare)


def test_what_the_network_takes() -> None:
    assert takes(FOUND)
    crowd = [noise_stream(f"{k}", k, PULSE) for k in range(BIOMETRICS + 1)]
    assert not takes(examine(with_biometrics(MADE, *crowd)))
    assert not takes(examine(replace(MADE, max_lag_hours=48)))


def negative(made: np.ndarray) -> None:
    made[..., 3], made[..., 4] = -0.1, 0.1


BROKEN: dict[str, Callable[[np.ndarray], None]] = {
    "not a number": lambda made: made[..., 1].fill(np.nan),
    "p(link) above 1": lambda made: made[..., 0].fill(1.1),
    "p(link) below 0": lambda made: made[..., 0].fill(-0.1),
    "no spread": lambda made: made[..., 2].fill(0.0),
    "a size beyond one": lambda made: made[..., 1:3].__setitem__(..., (1.3, 0.1)),
    "lags that are no whole": lambda made: made[..., 3:].fill(0.02),
    "a negative lag's probability": negative,
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_none_is_refused(name: str) -> None:
    made = answer()
    BROKEN[name](made)
    with pytest.raises(ModelRefused, match="no probabilities"):
        judged(FOUND, made)


def test_an_answer_of_another_shape_is_refused() -> None:
    for made in (answer()[:1], answer()[:, :3], answer()[..., :9]):
        with pytest.raises(ModelRefused, match="shape"):
            judged(FOUND, made)


def test_the_rows_of_what_is_not_there_are_not_looked_at() -> None:
    made = answer()
    kept = np.zeros(made.shape[:2], bool)
    kept[WORRY_AT, [PULSE_AT, NOISE_AT]] = True
    made[~kept] = np.nan
    assert judged(FOUND, made) == judged(FOUND, answer())
