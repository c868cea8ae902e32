"""Which links get words, which do not and why; and what must not change them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from backend.twin.correlation.engine import find_links
from backend.twin.correlation.insights import (
    Insight,
    InsightRule,
    insights,
    polarity,
    said,
)
from backend.twin.correlation.link import Link
from backend.twin.correlation.streams import CorrelationWindow, WorseWhen
from backend.twin.simulation.wearables.batch import simulate_wearables
from backend.twin.simulation.wearables.family import PLAIN
from backend.twin.simulation.wearables.windows import window_of
from tests.twin.correlation.linked import (
    ASSOCIATED,
    SILENT,
    STRONG,
    reversed_in_time,
    turned,
)
from tests.twin.correlation.made import (
    HOUR,
    World,
    noise_stream,
    window,
    with_biometrics,
    with_symptoms,
)

HIGH: dict[str, WorseWhen | None] = {"anxiety-0-10": "high", "mood-0-10": "low"}
RAW = window(World(days=60))
MADE = with_symptoms(
    with_biometrics(RAW, replace(RAW.biometrics[0], name="heart-rate")),
    replace(RAW.symptoms[0], name="anxiety-0-10"),
)


def one(link: Link, worse: WorseWhen | None = "high") -> Insight:
    (made,) = insights([link], {link.symptom: worse})
    return made


def why(link: Link, *beside: Link, worse: WorseWhen | None = "high") -> str:
    made, silent = said([link, *beside], {link.symptom: worse})
    assert link not in [insight.link for insight in made]
    return next(s.why for s in silent if s[:2] == (link.biometric, link.symptom))


def of(made: CorrelationWindow) -> tuple[Insight, ...]:
    return insights(find_links(made), polarity(made.symptoms))


PLAIN_SAID = of(MADE)


def texts(found: tuple[Insight, ...]) -> list[tuple[str, ...]]:
    return [(i.text, i.evidence, i.caveat, i.advice, *i.reasons) for i in found]


def test_a_strong_link_is_put_into_words_with_everything_it_rests_on() -> None:
    made = one(STRONG)
    assert made.link is STRONG
    assert (made.direction, made.order, made.grade) == ("improves", "precedes", "high")
    assert made.text.startswith(
        "Higher heart rate variability (RMSSD) precedes less anxiety by about 20 hours"
    )
    for number in ("200 reports", "80 independent", "0.40 to 0.60", "above 99 %"):
        assert number in made.evidence
    assert "an association, not a cause" in made.caveat
    assert made.advice == "Heart rate variability biofeedback may be worth discussing."
    assert "doi:10.1017/S0033291717001003" in made.source


@pytest.mark.parametrize(
    ("sign", "worse", "lag", "published"),
    list(product((1, -1), ("high", "low", None), ("ahead", "behind"), (True, False))),
)
def test_the_grid_of_signs_polarities_lags_and_significance(
    sign: int, worse: WorseWhen | None, lag: str, published: bool
) -> None:
    link = STRONG if sign < 0 else turned(STRONG)
    link = link if lag == "ahead" else reversed_in_time(link)
    link = link if published else replace(link, published=False, reasons=("no",))
    made, silent = said([link], {link.symptom: worse})
    assert len(made) + len(silent) == 1
    assert bool(made) == (published and worse is not None)
    for insight in made:
        worsens = (sign > 0) == (worse == "high")
        assert insight.direction == ("worsens" if worsens else "improves")
        assert insight.order == ("precedes" if lag == "ahead" else "follows")
        assert ("more anxiety" if worsens else "less anxiety") in insight.text
        assert f" {insight.order} " in insight.text
        assert bool(insight.advice) == (lag == "ahead" and not worsens)


@pytest.mark.parametrize(
    ("pair", "worse", "sign", "advice"),
    [
        (("hrv-sdnn", "anxiety-0-10"), "high", -1, "biofeedback"),
        (("hrv-sdnn", "anxiety-0-10"), "high", 1, ""),
        (("sleep-duration", "mood-0-10"), "low", 1, "Sleep may"),
        (("sleep-duration", "mood-0-10"), "high", 1, ""),
        (("sleep-duration", "mood-0-10"), "high", -1, "Sleep may"),
        (("steps-daily", "mood-0-100"), "low", 1, "Scheduled activity"),
        (("steps-daily", "mood-0-100"), "low", -1, ""),
        (("steps-daily", "energy-0-10"), "low", 1, ""),
    ],
)
def test_the_three_rules_go_by_better_and_worse_never_by_the_sign(
    pair: tuple[str, str], worse: WorseWhen, sign: int, advice: str
) -> None:
    link = turned(STRONG) if sign > 0 else STRONG
    made = one(replace(link, biometric=pair[0], symptom=pair[1]), worse)
    assert advice in made.advice
    assert bool(made.advice) == bool(made.source) == bool(advice)


def test_an_association_is_said_as_one_and_gets_no_advice() -> None:
    driver = replace(STRONG, biometric="sleep-duration")
    made = insights([ASSOCIATED, driver], HIGH)
    told = next(i for i in made if not i.link.direct)
    assert told.grade == "low"
    assert told.advice == ""
    assert told.others == ("sleep-duration",)
    assert "other signals of this window explain it (longer sleep)" in told.caveat


def test_others_without_words_are_named_as_they_are() -> None:
    made = insights([ASSOCIATED, replace(STRONG, biometric="signal-a")], HIGH)
    assert "(“signal-a”)" in made[0].caveat


@pytest.mark.parametrize(
    ("change", "said_why"),
    [
        ({"published": False, "reasons": ("a", "b")}, "a; b"),
        ({"published": False, "reasons": ()}, "not published"),
        ({"q_value": 0.011}, "chance may have brought it"),
        ({"q_value": None}, "chance may have brought it"),
        ({"p_link": 0.94}, "probability of a direct link is too low"),
        ({"p_link": None}, "probability of a direct link is too low"),
        ({"ci": (-0.8, -0.2)}, "too few independent reports; if it is real, about 51"),
        ({"n_eff": 10.0}, "too few independent reports; if it is real, about 400"),
        ({"coefficient": -0.02}, "independent reports; at this size no number of"),
        ({"ci": None}, "too wide an interval"),
        ({"biometric": "signal-a"}, "no words for this signal"),
        ({"direct": False, "p_marginal": 0.02}, "among 1 pairs chance may"),
        ({"direct": False, "p_marginal": None}, "among 1 pairs chance may"),
    ],
)
def test_what_is_not_put_into_words_is_listed_with_its_reason(
    change: dict[str, object], said_why: str
) -> None:
    assert said_why in why(replace(STRONG, **change))  # type: ignore[arg-type]


def test_an_unknown_direction_gives_no_text() -> None:
    assert "which end of the symptom's scale is worse" in why(STRONG, worse=None)
    assert insights([STRONG], {}) == ()


def test_an_association_pays_for_all_pairs_of_the_window() -> None:
    link = replace(ASSOCIATED, p_marginal=0.004)
    assert one(link).link is link
    others = [replace(SILENT, biometric=f"b{i}") for i in range(3)]
    assert "among 4 pairs" in why(link, *others)


def test_what_a_silence_needs_is_said() -> None:
    assert "takes about 300 reports" in why(SILENT)


def test_the_strongest_come_first_and_no_more_than_asked_for() -> None:
    many = [
        replace(STRONG, symptom=f"s{i}", coefficient=-0.5 - i / 100, ci=(-0.6, -0.4))
        for i in range(4)
    ]
    worse = {link.symptom: "high" for link in many}
    rule = InsightRule(most=2)
    made, silent = said(many, worse, rule=rule)  # type: ignore[arg-type]
    assert [i.link.symptom for i in made] == ["s3", "s2"]
    assert {s.why for s in silent} == {"2 stronger ones are said"}


def test_a_turned_scale_with_its_polarity_gives_the_same_words() -> None:
    symptom = MADE.symptoms[0]
    other = replace(symptom, values=10 - symptom.values, worse_when="low")
    assert PLAIN_SAID
    assert texts(of(with_symptoms(MADE, other))) == texts(PLAIN_SAID)
    kept = replace(symptom, values=10 - symptom.values)
    assert texts(of(with_symptoms(MADE, kept))) != texts(PLAIN_SAID)


@pytest.mark.parametrize(("times", "plus"), [(0.0166, 0.0), (60.0, -40.0)])
def test_other_units_give_the_same_words(times: float, plus: float) -> None:
    signal = MADE.biometrics[0]
    other = replace(signal, values=times * signal.values + plus)
    assert texts(of(with_biometrics(MADE, other))) == texts(PLAIN_SAID)


def test_a_channel_of_noise_says_nothing_and_silences_nothing() -> None:
    noise = replace(noise_stream("noise", 2, MADE.biometrics[0]), name="spo2")
    found = of(with_biometrics(MADE, MADE.biometrics[0], noise))
    assert [i.link.biometric for i in found] == ["heart-rate"]
    assert (found[0].text, found[0].grade) == (PLAIN_SAID[0].text, PLAIN_SAID[0].grade)


def test_series_told_backwards_swap_precedes_and_follows() -> None:
    last, first = MADE.until - HOUR, MADE.history_from
    back = replace(
        MADE,
        biometrics=tuple(
            replace(b, times=first + (last - b.times)) for b in MADE.biometrics
        ),
        symptoms=tuple(
            replace(s, times=first + (last - s.times)) for s in MADE.symptoms
        ),
        reports_from=first,
    )
    assert " precedes more anxiety by about 20 hours" in PLAIN_SAID[0].text
    assert " follows more anxiety by about 20 hours" in of(back)[0].text


@pytest.mark.parametrize("minutes", [0, 20])
def test_reports_said_twice_raise_no_grade(minutes: int) -> None:
    symptom = MADE.symptoms[0]
    later = symptom.times + np.timedelta64(60 * minutes, "s")
    twice = replace(
        symptom,
        times=np.concatenate([symptom.times, later]),
        values=np.concatenate([symptom.values, symptom.values]),
    )
    found = of(with_symptoms(MADE, twice))
    assert [(i.grade, i.reasons) for i in found] == [
        (i.grade, i.reasons) for i in PLAIN_SAID
    ]


def test_patients_without_links_are_told_nearly_nothing() -> None:
    family = replace(PLAIN, link_prior=(0.0, 0.0), reports_a_day=(1, 1))
    rng = np.random.default_rng(20260105)
    batch = simulate_wearables(rng, family, people=60, shape=(30, 4, 4))
    told = 0
    for patient in range(60):
        links = find_links(window_of(batch, patient))
        told += len(insights([replace(x, biometric="spo2") for x in links], ALL_HIGH))
    assert told <= 3  # 0.05 a patient


ALL_HIGH: dict[str, WorseWhen | None] = dict.fromkeys(
    ("anxiety", "low-mood", "fatigue", "irritability", "stress", "pain"), "high"
)
