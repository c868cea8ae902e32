"""Simulated treatments: what is known, what is drawn, and how far it can be told."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from backend.twin.pharmacogenomics.response_inputs import (
    ALLELES,
    CONDITIONS,
    FACTS,
    LEVELS,
    NUMBERS,
    OPTIONS,
    SIDE_EFFECTS,
)
from backend.twin.simulation import treatment_effects as effects
from backend.twin.simulation.treatment_people import GENES, simulate_people
from backend.twin.simulation.treatments import (
    Treatments,
    chances,
    hidden,
    simulate_treatments,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "methods"
EVERY = len(OPTIONS)


@pytest.fixture(scope="module")
def made() -> Treatments:
    return simulate_treatments(np.random.default_rng(1), count=60_000)


def nobody(**facts: float) -> dict[str, np.ndarray]:
    """Someone in the middle of every number, without anything else; normal genes."""
    found = {name: middle for name, (_, middle, _) in NUMBERS.items()}
    found |= dict.fromkeys((*CONDITIONS, *ALLELES, *OPTIONS), 0.0)
    found |= {gene: levels.index("normal") for gene, levels in LEVELS.items()}
    found |= {"failures": 0.0, **facts}
    return {name: np.full(EVERY, float(value)) for name, value in found.items()}


def odds(drug: str, **facts: float) -> np.ndarray:
    """Of the response and every side effect under a medicine."""
    chance = chances(nobody(**facts), np.arange(EVERY))[OPTIONS.index(drug)]
    return np.asarray(chance / (1 - chance))


def ratio(drug: str, **facts: float) -> np.ndarray:
    return np.asarray(odds(drug, **facts) / odds(drug))


def auc(score: np.ndarray, hit: np.ndarray) -> float:
    order = np.argsort(np.argsort(score, kind="stable"), kind="stable") + 1.0
    count = hit.sum()
    rest = len(hit) - count
    return float((order[hit].sum() - count * (count + 1) / 2) / (count * rest))


def test_a_seed_says_everything() -> None:
    first, second = (
        simulate_treatments(np.random.default_rng(3), count=50) for _ in range(2)
    )
    np.testing.assert_array_equal(first.outcome, second.outcome)
    assert len(first) == 50
    assert first.facts.keys() == set(FACTS)
    assert all(np.isfinite(values).all() for values in first.facts.values())


def test_what_can_be_known_of_a_response_is_as_little_as_in_real_people(
    made: Treatments,
) -> None:
    hit = made.outcome[:, 0] > 0
    assert 0.62 <= auc(made.chance[:, 0], hit) <= 0.70
    rates = np.array([hit[made.option == i].mean() for i in range(EVERY)])
    assert 0.50 < auc(rates[made.option], hit) < 0.56


def test_a_first_trial_is_answered_about_as_often_as_in_star_d(
    made: Treatments,
) -> None:
    failures = made.facts["failures"]
    shares = [made.outcome[failures == n, 0].mean() for n in range(4)]
    assert shares[0] == pytest.approx(0.486, abs=0.03)
    assert shares == sorted(shares, reverse=True)


def test_outcomes_are_draws_of_their_chances(made: Treatments) -> None:
    error = 4 * np.sqrt(0.25 / len(made))
    assert np.abs(made.outcome.mean(0) - made.chance.mean(0)).max() < error
    assert set(np.unique(made.outcome)) == {0.0, 1.0}


@pytest.mark.parametrize("drug", OPTIONS)
def test_every_medicine_has_its_published_odds_and_risks(drug: str) -> None:
    placebo = effects.PLACEBO / (1 - effects.PLACEBO)
    # The middle of the sexes is half a one; the others are at their middle.
    assert odds(drug)[0] == pytest.approx(placebo * effects.RESPONSE[drug][0])
    shares = odds(drug)[1:] / (1 + odds(drug)[1:])
    np.testing.assert_allclose(shares[-1], effects.RISKS[drug][-1], rtol=0.2)
    assert sorted(effects.RISKS[drug]) != sorted(set(effects.RISKS[drug]) | {1.0})


@pytest.mark.parametrize("one", effects.FACTORS, ids=lambda one: one.fact)
def test_a_fact_moves_the_response_by_its_shrunken_odds(one: effects.Factor) -> None:
    _, middle, width = NUMBERS.get(one.fact, ("", 0.0, 1.0))
    step = 1.0 if one.fact == "female" else width
    found = ratio("lithium", **{one.fact: middle + step})[0]
    assert found == pytest.approx(one.odds**effects.SHRUNK)


@pytest.mark.parametrize("one", effects.GENE_EFFECTS)
def test_a_phenotype_moves_only_its_medicines(one: effects.GeneEffect) -> None:
    level = {one.gene: float(LEVELS[one.gene].index(one.level))}
    for drug in one.drugs.split():
        expected = np.array([one.response] + [one.side_effects] * len(SIDE_EFFECTS))
        expected[1 + SIDE_EFFECTS.index("rash")] = 1.0  # goes with no exposure
        np.testing.assert_allclose(ratio(drug, **level), expected)
    np.testing.assert_allclose(ratio("bupropion", **level), 1.0)


def test_hla_moves_the_rash_under_lamotrigine_alone() -> None:
    rash = 1 + SIDE_EFFECTS.index("rash")
    found = ratio("lamotrigine", hla_b_1502=1.0)
    assert found[rash] == pytest.approx(effects.RASH_WITH_1502)
    assert np.delete(found, rash) == pytest.approx(1.0)
    np.testing.assert_allclose(ratio("sertraline", hla_b_1502=1.0), 1.0)


@pytest.mark.parametrize(
    ("drug", "tried", "expected"),
    [
        ("sertraline", {"sertraline": -1.0}, effects.SAME_DRUG_FAILED),
        ("sertraline", {"sertraline": 1.0}, effects.SAME_DRUG_HELPED),
        ("sertraline", {"paroxetine": -1.0}, effects.SAME_CLASS_FAILED),
        ("sertraline", {"paroxetine": 1.0}, 1.0),
        ("sertraline", {"lithium": -1.0}, 1.0),
    ],
)
def test_earlier_trials_speak_of_a_medicine_and_of_its_class(
    drug: str, tried: dict[str, float], expected: float
) -> None:
    assert ratio(drug, **tried)[0] == pytest.approx(expected)


def test_as_many_trials_failed_as_are_counted() -> None:
    people = simulate_people(np.random.default_rng(5), count=4000)
    tried = np.stack([people[one] for one in OPTIONS], axis=1)
    np.testing.assert_array_equal((tried < 0).sum(1), people["failures"])
    assert 0.1 < (tried > 0).any(1).mean() < 0.2
    assert (tried > 0).sum(1).max() == 1


def test_inhibitors_make_more_poor_metabolisers_than_genes_do() -> None:
    people = simulate_people(np.random.default_rng(6), count=40_000)
    poor = (people["CYP2D6"] == 0).mean()
    assert poor > GENES["CYP2D6"][0] + 0.08
    plain = people["CYP2C9"] == 0
    assert plain.mean() == pytest.approx(GENES["CYP2C9"][0], abs=0.005)


def test_a_chart_lacks_facts_and_invents_none(made: Treatments) -> None:
    known = hidden(np.random.default_rng(7), made.facts)
    gone = np.stack([np.isnan(known[name]) for name in FACTS], axis=1)
    assert 0.5 <= (~gone.any(1)).mean() < 0.56  # half, and some by chance
    for name, values in known.items():
        there = ~np.isnan(values)
        np.testing.assert_array_equal(values[there], made.facts[name][there])
    trials = np.stack([np.isnan(known[one]) for one in OPTIONS], axis=1)
    assert (trials.all(1) | ~trials.any(1)).all()  # the history as a whole, or not


def test_every_effect_names_a_source_of_the_page() -> None:
    text = (PAGE / "treatment-simulator.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^- `(\w+)`:", text, re.MULTILINE)) | {"own"}
    rows = (*effects.FACTORS, *effects.MODERATORS, *effects.GENE_EFFECTS)
    named = {one.source for one in (*rows, *effects.TOLERANCE)}
    named |= {source for _, source in effects.RESPONSE.values()}
    assert named <= listed
    assert effects.RESPONSE.keys() == effects.RISKS.keys() == set(OPTIONS)
    assert sorted(one for each in effects.CLASSES.values() for one in each) == sorted(
        OPTIONS
    )
