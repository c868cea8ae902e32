"""What a card says of the model of treatment response: figures, and their limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backend.inference.link_card import Name, Open, Share
from backend.inference.source_attributes import Part, Text

LABEL = "trained on simulated outcomes"


class OutcomeScores(Open):
    """Of one outcome's probability: discrimination and expected calibration error."""

    auc: Share
    ece: Share


class ResponseScores(OutcomeScores):
    """Of the response, and of each side effect."""

    log_score: float
    side_effects: Annotated[dict[Name, OutcomeScores], Field(min_length=1)]


class Gain(Part):
    """AUC over the baseline's, with its 95 % interval over records."""

    mean: float
    low: float
    high: float


class RealWorld(Part):
    """What studies on real people reached, which figures on simulated ones are not."""

    auc_low: Share
    auc_high: Share
    source: Text


class ResponseMetrics(Open):
    """Figures beside the baseline's and the best that anybody could reach.

    `drug_only` knows the medicine's own rates and nothing of the person; `oracle` is
    the simulator's true probability. `share_of_oracle`: the model's part of the way
    from the one's AUC to the other's.
    """

    label: Literal["trained on simulated outcomes"]
    real_world: RealWorld
    data: Text
    people: Annotated[int, Field(ge=1)]
    model: ResponseScores
    drug_only: ResponseScores
    oracle: ResponseScores
    share_of_oracle: float
    auc_gain: Gain
