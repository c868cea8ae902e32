"""What is given while no model answers: the patient's last forecast, marked as such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from backend.predictions.answer import Answer, open_answer
from backend.predictions.errors import ModelsDown
from backend.predictions.models import Prediction
from backend.predictions.remarks import Remarks
from backend.twin.features import ForecastWindow
from backend.twin.trajectory import HORIZON

OLDEST = timedelta(days=HORIZON)  # after that no day that it forecast lies ahead


def stored_instead(
    draft: Prediction, windows: Sequence[ForecastWindow], *, remarks: Remarks
) -> tuple[Prediction, Answer]:
    """The newest stored answer that may stand in for the one `draft` was to hold.

    It is at most OLDEST old, was asked for no later day than the draft, rests on no
    entry that was taken back, and has no instrument that the record no longer has.
    Instruments that were begun since are missing in it. What is urgent is never old:
    the answer carries `remarks`, which were made of the record just pulled.
    Raises ModelsDown where there is none.
    """
    known = {window.series.scale.key for window in windows}
    for prediction in _candidates(draft):
        answer = open_answer(draft.patient, prediction)
        if _scales(answer) <= known:
            return prediction, replace(answer, remarks=remarks)
    raise ModelsDown(remarks)


def _candidates(draft: Prediction) -> Iterable[Prediction]:
    return Prediction.objects.filter(
        patient=draft.patient,
        service=draft.service,
        as_of__range=(draft.as_of - OLDEST, draft.as_of),
        created__range=(draft.created - OLDEST, draft.created),
        stale_since=None,
    ).order_by("-created", "pk")


def _scales(answer: Answer) -> set[str]:
    return {item.forecast.scale.key for item in answer.instruments}
