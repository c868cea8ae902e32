"""Simulated people, the treatment each begins, and what comes of it.

A response is that symptoms of depression at least halve within about eight weeks. The
medicine is drawn at random, so nothing confounds it. All there is to know is in the
facts: given them the outcomes are draws from the probabilities, and no model can rank
better than these do. Effects: `treatment_effects`, which says where they come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from backend.twin.pharmacogenomics.response_inputs import (
    FACTS,
    LEVELS,
    NUMBERS,
    OPTIONS,
    SIDE_EFFECTS,
)
from backend.twin.simulation import treatment_effects as effects
from backend.twin.simulation.treatment_people import simulate_people

Facts = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Treatments:
    """Records. `facts` by `FACTS`, each [person], all known.

    `option` is the place of the medicine in `OPTIONS`. `chance` and `outcome` are
    [person, 1 + side effects]: the response first, then `SIDE_EFFECTS`; a probability,
    and 1 or 0.
    """

    facts: Facts
    option: np.ndarray
    chance: np.ndarray
    outcome: np.ndarray

    def __len__(self) -> int:
        return len(self.option)


def simulate_treatments(rng: np.random.Generator, *, count: int) -> Treatments:
    """`count` people, each with one treatment."""
    facts = simulate_people(rng, count=count)
    option = rng.integers(len(OPTIONS), size=count)
    chance = chances(facts, option)
    outcome = (rng.random(chance.shape) < chance).astype(np.float64)
    return Treatments(facts, option, chance, outcome)


def chances(facts: Facts, option: np.ndarray) -> np.ndarray:
    """The true probabilities as in `Treatments`; `facts` have to be known."""
    columns = [_response(facts, option), *_side_effects(facts, option)]
    chance: np.ndarray = 1 / (1 + np.exp(-np.stack(columns, axis=1)))
    return chance


def hidden(rng: np.random.Generator, facts: Facts) -> dict[str, np.ndarray]:
    """The facts as a record may have them: whatever nobody wrote down is NaN.

    Half of the people are known completely. Of the others each fact is unknown with a
    probability that is theirs; a panel of genes is mostly done or not done.
    """
    count = len(facts["age"])
    share = np.where(rng.random(count) < 0.5, 0.0, rng.random(count))
    panel, trials = (rng.random(count) < share for _ in range(2))
    found: dict[str, np.ndarray] = {}
    for name in FACTS:
        lost = trials if name in OPTIONS else rng.random(count) < share
        if name in LEVELS or name.startswith("hla_"):
            lost = (panel & (rng.random(count) < 0.9)) | (lost & (share > 0.5))
        found[name] = np.where(lost, np.nan, facts[name])
    return found


def _response(facts: Facts, option: np.ndarray) -> np.ndarray:
    """Log odds of a response, [person]."""
    odds = [effects.RESPONSE[one][0] for one in OPTIONS]
    logit = _log_odds(effects.PLACEBO) + np.log(odds)[option]
    for one in effects.FACTORS:
        logit += effects.SHRUNK * np.log(one.odds) * _scaled(facts, one.fact)
    failed = np.log(effects.FAILED)[np.minimum(facts["failures"], 3).astype(int)]
    logit += effects.SHRUNK * failed
    for moderator in effects.MODERATORS:
        there = facts[moderator.fact] * _is_one_of(option, moderator.drugs.split())
        logit += np.log(moderator.odds) * there
    for gene in effects.GENE_EFFECTS:
        logit += np.log(gene.response) * _has(facts, gene, option)
    total: np.ndarray = logit + _history(facts, option)
    return total


def _history(facts: Facts, option: np.ndarray) -> np.ndarray:
    """What earlier trials of the same medicine or its class say, in log odds."""
    tried = np.stack([facts[one] for one in OPTIONS], axis=1)
    same = tried[np.arange(len(option)), option]
    logit: np.ndarray = np.log(effects.SAME_DRUG_FAILED) * (same < 0)
    logit += np.log(effects.SAME_DRUG_HELPED) * (same > 0)
    for members in effects.CLASSES.values():
        others = np.stack([facts[one] < 0 for one in members], axis=1).any(1)
        among = _is_one_of(option, members) & others & (same >= 0)
        logit += np.log(effects.SAME_CLASS_FAILED) * among
    return logit


def _side_effects(facts: Facts, option: np.ndarray) -> Iterable[np.ndarray]:
    """Log odds of each side effect, [person]."""
    risks = np.array([effects.RISKS[one] for one in OPTIONS])
    exposed = np.zeros(len(option))
    for gene in effects.GENE_EFFECTS:
        exposed += np.log(gene.side_effects) * _has(facts, gene, option)
    for place, name in enumerate(SIDE_EFFECTS):
        logit = _log_odds(risks[option, place])
        for one in effects.TOLERANCE:
            if name in one.side_effects.split():
                logit += np.log(one.odds) * _scaled(facts, one.fact)
        if name == "rash":
            risky = facts["hla_b_1502"] * _is_one_of(option, ["lamotrigine"])
            yield logit + np.log(effects.RASH_WITH_1502) * risky
        else:
            yield logit + exposed


def _has(facts: Facts, gene: effects.GeneEffect, option: np.ndarray) -> np.ndarray:
    level = LEVELS[gene.gene].index(gene.level)
    found: np.ndarray = (facts[gene.gene] == level) & _is_one_of(
        option, gene.drugs.split()
    )
    return found


def _scaled(facts: Facts, name: str) -> np.ndarray:
    """A number in its widths from the middle (a sex: half a one); a condition as is."""
    if name not in NUMBERS:
        return facts[name]
    _, middle, width = NUMBERS[name]
    unit = 1.0 if name == "female" else width
    return (facts[name] - middle) / unit


def _is_one_of(option: np.ndarray, drugs: Iterable[str]) -> np.ndarray:
    return np.isin(option, [OPTIONS.index(one) for one in drugs])


def _log_odds(share: float | np.ndarray) -> np.ndarray:
    found: np.ndarray = np.log(share) - np.log1p(-np.asarray(share))
    return found
