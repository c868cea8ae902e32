"""What the response model says of one medicine for one person, and when it counts.

Simulated outcomes taught the model: it may add caution, and never takes any away that a
source or a stop asks for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SideEffect:
    """A side effect by its name, and how probable it is (share of one)."""

    name: str
    risk: float


@dataclass(frozen=True, slots=True)
class Response:
    """The model's answer, all shares of one; see the response model's inputs.

    `efficacy`: the probability that symptoms at least halve. `percentile`: where that
    lies among reference patients on the medicine. `confidence`: how sure the figure
    is. `side_effects` may be empty: then nothing is known of any.
    """

    efficacy: float
    percentile: float
    confidence: float
    side_effects: tuple[SideEffect, ...] = ()

    @property
    def highest_risk(self) -> float | None:
        """Of any side effect; None where none is given, which is not zero."""
        return max((one.risk for one in self.side_effects), default=None)


@dataclass(frozen=True, slots=True)
class ResponsePolicy:
    """When the model's answer is reported, and when it makes a medicine more doubtful.

    Shares of one: reported from `least_confidence`; below `least_efficacy` an
    alternative is considered; above `most_risk` of a side effect one watches closely.
    """

    least_confidence: float = 0.7
    least_efficacy: float = 0.3
    most_risk: float = 0.7
