"""What is given while no model answers: the patient's last forecast, marked as such."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from backend.predictions.answer import Answer, openable
from backend.predictions.errors import ModelsDown
from backend.predictions.models import Prediction
from backend.predictions.remarks import Remarks
from backend.twin.features import ForecastWindow
from backend.twin.trajectory import HORIZON

OLDEST = timedelta(days=HORIZON)  # after that no day that it forecast lies ahead
ZONES = timedelta(days=1)  # by which a caller's today may differ from ours


def stored_instead(
    draft: Prediction, windows: Sequence[ForecastWindow], *, remarks: Remarks
) -> tuple[Prediction, Answer]:
    """The stored answer of the latest day that may stand in for the one of `draft`.

    It is at most OLDEST old, was asked for no later day than the draft, rests on no
    entry that was taken back, and has no instrument that the record no longer has. A
    look back made yesterday is as old as the day it was for, so it stands in for that
    day alone. What does not open is passed over. Instruments that were begun since are
    missing. What is urgent is never old: the answer carries `remarks`, which were made
    of the record just pulled. Raises ModelsDown where there is none.
    """
    known = {window.series.scale.key for window in windows}
    for prediction in _candidates(draft):
        answer = openable(draft.patient, prediction)
        if answer is not None and _scales(answer) <= known:
            return prediction, replace(answer, remarks=remarks)
    raise ModelsDown(remarks)


def _candidates(draft: Prediction) -> Iterator[Prediction]:
    found = Prediction.objects.filter(
        patient=draft.patient,
        service=draft.service,
        as_of__range=(draft.as_of - OLDEST, draft.as_of),
        created__range=(draft.created - OLDEST, draft.created),
        stale_since=None,
    )
    for one in found.order_by("-as_of", "-created", "pk"):
        looks_back = one.as_of < one.created.date() - ZONES
        if one.as_of == draft.as_of or not looks_back:
            yield one


def _scales(answer: Answer) -> set[str]:
    return {item.forecast.scale.key for item in answer.instruments}
