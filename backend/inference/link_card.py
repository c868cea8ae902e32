"""What a card says of a network that judges pairs, and its answer and figures."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from backend.inference.source_attributes import Part, Text

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class Open(Part):
    """A part that may say more than it must."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]


class Answer(Part):
    """What a network over pairs answers: its columns, in order, and their meaning."""

    name: Name
    unit: Text
    rows: Text
    columns: Annotated[list[Text], Field(min_length=1)]


class LinkScores(Open):
    """Of p(link): discrimination, calibration error and log score, over all pairs.

    Of linked pairs: the share of 90 % intervals of the coefficient and of the lag that
    hold the truth.
    """

    auc: Share
    ece: Share
    log_score: float
    ci90: Share
    lag90: Share


class LinkMetrics(Open):
    """Figures beside those of the engine that fills the inputs, on the same pairs."""

    data: Text
    people: Annotated[int, Field(ge=1)]
    pairs: Annotated[int, Field(ge=1)]
    model: LinkScores
    engine: LinkScores
