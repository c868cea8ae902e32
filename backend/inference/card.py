"""What `card.json` must say of a model version before anybody may publish it.

The schema is closed: a field that is missing, misspelt or unknown refuses the card, and
what nobody knows is said as {"not_available": why}. Figures on a card were measured
before publishing; later ones are rows of the database.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from backend.inference.catalogue import LAST_VERSION
from backend.inference.link_card import Answer, LinkMetrics, Name, Open, Share
from backend.inference.plain import read_json
from backend.inference.response_card import ResponseMetrics
from backend.inference.source_attributes import Part, Said, SourceAttributes, Text
from backend.twin.correlation.model_inputs import MODEL as CORRELATION
from backend.twin.errors import ModelUntrusted
from backend.twin.pharmacogenomics.response_inputs import MODEL as RESPONSE

HISTOGRAM_PEOPLE = 5000  # at least, or a rare bin's share is chance
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Pair = tuple[float, float]


class Feature(Part):
    """One column of an input array, in its place."""

    name: Text
    unit: Text
    code: Annotated[str, Field(pattern=r"^[a-z]+:\S+$")]  # the system's key, the code
    range: Pair
    missing: Text

    @model_validator(mode="after")
    def _ordered(self) -> Feature:
        if not self.range[0] < self.range[1]:
            raise ValueError("the range is empty")
        return self


class Input(Part):
    """One input array: its element type and its columns, in order."""

    dtype: Literal["float32", "float64", "float16", "int64", "int32", "bool"]
    features: Annotated[list[Feature], Field(min_length=1)]


class Output(Part):
    """What the answer means."""

    name: Name
    unit: Text
    horizon_days: Annotated[int, Field(ge=1)]
    rows: Text
    levels: Annotated[list[Share], Field(min_length=1)]
    order: Text


class Beats(Part):
    """Whether climatology is beaten, by how often somebody is asked."""

    daily: bool
    questionnaire: bool


class Interval(Part):
    """A mean and its 95 % interval over people."""

    mean: float
    low: float
    high: float


class Scores(Part):
    """Errors in z units; coverage and mean width (z units) of two intervals."""

    mae_z: float
    rmse_z: float
    crps_z: float
    coverage_80: Share
    width_80_z: float
    coverage_95: Share
    width_95_z: float


class Metrics(Open):
    """Figures beside climatology's on the same people, who were not trained on."""

    data: Text
    people: Annotated[int, Field(ge=1)]
    model: Scores
    climatology: Scores
    intervals_95: dict[Name, Interval]
    crps_gain_percent: Interval
    mae_gain_percent: Interval


class Calibration(Part):
    """Which share of days lay in the intervals, and what moves them afterwards."""

    data: Text
    people: Annotated[int, Field(ge=1)]
    coverage_80: Interval
    coverage_95: Interval
    further: Text


class Parity(Part):
    """How far the graph is from the training framework, z units."""

    tolerance: Annotated[float, Field(gt=0, le=1e-3)]
    max_abs: Annotated[float, Field(ge=0)]
    rows: Annotated[int, Field(ge=1)]
    batches: Annotated[list[int], Field(min_length=1)]


class Latency(Part):
    """Milliseconds a run."""

    median: float
    p95: float


class Serving(Part):
    """Size in bytes, times by batch, and the machine they were taken on."""

    size_bytes: Annotated[int, Field(ge=1)]
    latency_ms: dict[str, Latency]
    machine: Text


class DataDigest(Part):
    """A digest of training data, and of what exactly."""

    value: Digest
    how: Text


class Training(Open):
    """What the weights were fitted to; `real_people` were in it."""

    origin: Literal["simulated", "real", "both"]
    real_people: Count
    source: Text
    licence: Text
    seed: Count
    windows: Count
    data_sha256: DataDigest


class Histogram(Part):
    """Shares between `edges`, both ends of the range included; all sum to one.

    Bin i holds edges[i] <= x < edges[i + 1], the last one its upper edge as well, and
    what lies further out counts in the outermost bin. `missing` is the share of NaN.
    """

    edges: Annotated[list[float], Field(min_length=2)]
    shares: list[Share]
    missing: Share

    @model_validator(mode="after")
    def _whole(self) -> Histogram:
        steps = zip(self.edges, self.edges[1:], strict=False)
        if not all(low < high for low, high in steps):
            raise ValueError("edges must rise")
        if len(self.shares) != len(self.edges) - 1:
            raise ValueError("one share for each bin")
        if abs(sum(self.shares) + self.missing - 1) > 1e-3:
            raise ValueError("shares must sum to one")
        return self


class Histograms(Part):
    """How each feature of each input array was spread over people as in training."""

    people: Annotated[int, Field(ge=HISTOGRAM_PEOPLE)]
    data: Text
    arrays: dict[Name, dict[str, Histogram]]


class Card(Part):
    """What every `card.json` says. `version` 0 stands for one without a number yet."""

    model: Name
    version: Annotated[int, Field(ge=0, le=LAST_VERSION)]
    created: date
    licence: Text
    intended_use: Text
    out_of_scope: Text
    codes: dict[Name, Text]  # what each system of features' codes is
    inputs: Annotated[dict[Name, Input], Field(min_length=1)]
    feature_schema_hash: Digest
    output: Output | Answer
    libraries: dict[str, str]
    git_commit: Said
    precision: Literal["float32", "float16", "int8"]
    parity: Parity
    compression: dict[str, JsonValue] | None = None
    serving: Serving
    training: Training
    histograms: Histograms
    approver: Said
    renewed: dict[str, JsonValue] | None = None  # of which version this is the graph
    source_attributes: SourceAttributes


class ForecastCard(Card):
    """Of a model that forecasts ratings."""

    output: Output
    beats_climatology: Beats
    metrics: Metrics
    calibration: Calibration


class LinkCard(Card):
    """Of the model that judges pairs of a biometric and a symptom."""

    output: Answer
    metrics: LinkMetrics


class ResponseCard(Card):
    """Of the model of what a medicine does for a person."""

    output: Answer
    metrics: ResponseMetrics


class _Named(BaseModel):
    """Just whose card it is."""

    model: str = ""


def read_card(content: bytes) -> Card:
    """The card in a file's bytes. Raises ModelUntrusted, naming the first bad field.

    Parts that may say more are no exception: what a database could not keep is refused.
    """
    try:
        card = _kind(content).model_validate_json(content)
    except ValidationError as error:
        raise ModelUntrusted(f"card.json: {_first(error)}") from None
    try:
        read_json(content)
    except ValueError as error:
        raise ModelUntrusted(f"card.json: {error}") from None
    return card


def _kind(content: bytes) -> type[Card]:
    """Which card it has to be; of what cannot be read, a forecast's says why."""
    try:
        model = _Named.model_validate_json(content).model
    except ValidationError:
        return ForecastCard
    return _KINDS.get(model, ForecastCard)


_KINDS: dict[str, type[Card]] = {CORRELATION: LinkCard, RESPONSE: ResponseCard}


def _first(error: ValidationError) -> str:
    """The first problem and how many more, in one line without the card's values."""
    problems = error.errors(include_url=False, include_input=False)
    place = ".".join(str(part) for part in problems[0]["loc"]) or "the whole"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {problems[0]['msg']}{more}"
