"""A version in the shadow answers beside production's, for some patients, unseen.

It is asked after production's answer was stored and audited (see `beside.py`), and
nothing that it does can change, keep back or spoil that answer, or one of production's
versions: these are not asked again. The blend is made as it would be if the shadow
version were in production in its model's place, with the calibration that those
versions have. Each shadow is asked by itself, so that a difference has one cause.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import orjson
from django.db import transaction
from django.db.models import Avg, Count, Max

from backend.people import crypto
from backend.predictions.asking import Heard, HeardBut, asker
from backend.predictions.erasure import kept
from backend.predictions.models import Prediction, ShadowAnswer
from backend.predictions.policy import ForecastPolicy
from backend.registry.models import Channel
from backend.registry.services import channels
from backend.twin.features import ForecastWindow, schema_hash
from backend.twin.forecast import forecast_all
from backend.twin.trajectory import INTERVALS, MEDIAN, Forecast, ModelUse

RECENT = timedelta(days=90)
TABLE = "predictions_shadowanswer"
COLUMN = "payload"


@dataclass(frozen=True, slots=True)
class ShadowSummary:
    """How far one shadow version was from production, in sds of the windows.

    `mean` and `p95` are of the mean distance of a prediction's quantiles, `greatest` is
    the largest distance of any; `median` the mean shift of medians; `width` the mean
    ratio of 80 % intervals, None where none had a width.
    """

    model: str
    version: int
    predictions: int
    mean: float
    p95: float
    greatest: float
    median: float
    width: float | None


def is_covered(patient_id: UUID, model: str, percent: int) -> bool:
    """Whether a share of `percent` of the patients has this one in it.

    Always the same for patient and model; who is in a share is in every larger one.
    """
    name = hashlib.sha256(f"{model}|{patient_id}".encode()).digest()
    return int.from_bytes(name[:8]) * 100 < percent * 2**64


def ask_shadows(
    prediction: Prediction,
    windows: Sequence[ForecastWindow],
    made: Sequence[Forecast],
    *,
    heard: Heard,
    uses: Mapping[str, ModelUse],
    policy: ForecastPolicy,
) -> None:
    """Ask every shadow that covers the patient, and keep what it says.

    `made` are the forecasts of `windows` as they were given, by the versions `uses`;
    `heard` is what these said. Compared are series that all of these answered, and all
    with the shadow in place. A shadow has the time that production's versions have:
    with less, its failures would not be its own. Raises DatabaseError, SealBroken.
    """
    whole = [i for i, forecast in enumerate(made) if _models(forecast) == set(uses)]
    weights = policy.weights
    shadows = _shadows(prediction.patient_id, uses, weights) if uses else {}
    for model, use in shadows.items():
        asked = {**uses, model: use}
        server = HeardBut(heard, (model, use.version))
        found = forecast_all(
            [windows[i] for i in whole],
            ask_all=asker(server, asked, timeout_s=policy.timeout_s),
            weights=weights,
            uses=asked,
            as_of=prediction.as_of,
        )
        answered = {
            i: shadow
            for i, shadow in zip(whole, found, strict=True)
            if _models(shadow) == set(asked)
        }
        _keep(prediction, use, windows=windows, made=made, shadow=answered)


def shadow_summary(*, now: datetime) -> list[ShadowSummary]:
    """One per model and version that answered in the shadow within RECENT."""
    recent = ShadowAnswer.objects.filter(created__gte=now - RECENT)
    groups = recent.values("model", "version").annotate(
        n=Count("pk"),
        mean=Avg("mean_difference"),
        greatest=Max("max_difference"),
        median=Avg("median_difference"),
        width=Avg("width_ratio"),
    )
    return [
        ShadowSummary(
            model=row["model"],
            version=row["version"],
            predictions=row["n"],
            mean=row["mean"],
            p95=recent.filter(model=row["model"], version=row["version"])
            .order_by("mean_difference")
            .values_list("mean_difference", flat=True)[int(0.95 * (row["n"] - 1))],
            greatest=row["greatest"],
            median=row["median"],
            width=row["width"],
        )
        for row in groups.order_by("model", "version")
    ]


def _shadows(
    patient_id: UUID, uses: Mapping[str, ModelUse], weights: Mapping[str, float]
) -> dict[str, ModelUse]:
    """The shadow versions that cover the patient, with their model's weight.

    Not one that is production already, or was trained on other features.
    """
    found = {}
    for model, of_model in channels().items():
        shadow = of_model.get(Channel.Name.SHADOW)
        if shadow is None or weights.get(model, 0.0) <= 0.0:
            continue
        is_other = model not in uses or uses[model].version != shadow.use.version
        fits = shadow.card.get("feature_schema_hash") == schema_hash()
        if is_other and fits and is_covered(patient_id, model, shadow.percent):
            found[model] = replace(shadow.use, weight=weights[model])
    return found


def _models(forecast: Forecast) -> set[str]:
    return {use.model for use in forecast.models}


def _keep(
    prediction: Prediction,
    use: ModelUse,
    *,
    windows: Sequence[ForecastWindow],
    made: Sequence[Forecast],
    shadow: Mapping[int, Forecast],
) -> None:
    """One row; none where the shadow answered nothing that production did as well."""
    if not shadow:
        return
    sds = np.array([windows[i].sd for i in shadow])[:, None, None]
    given = np.array([made[i].quantiles for i in shadow]) / sds
    other = np.array([one.quantiles for one in shadow.values()]) / sds
    row = ShadowAnswer(
        prediction=prediction,
        model=use.model,
        version=use.version,
        sha256=use.sha256,
        created=prediction.created,
        windows=len(shadow),
        mean_difference=float(np.abs(other - given).mean()),
        max_difference=float(np.abs(other - given).max()),
        median_difference=float((other - given)[..., MEDIAN].mean()),
        width_ratio=_ratio(_width(other), _width(given)),
    )
    quantiles = {str(i): one.quantiles for i, one in shadow.items()}
    with transaction.atomic():
        if not kept([prediction.patient_id]):
            return
        row.payload = crypto.seal(
            prediction.patient,
            table=TABLE,
            column=COLUMN,
            row=row.pk,
            plain=orjson.dumps(quantiles),
        )
        row.save(force_insert=True)


def _width(quantiles: np.ndarray) -> float:
    low, high = INTERVALS[0.80]
    return float((quantiles[..., high] - quantiles[..., low]).sum())


def _ratio(other: float, given: float) -> float | None:
    return other / given if given > 0 else None
