"""What of a patient is kept in the clear, and goes when their key is destroyed.

Destroying the key makes sealed data unreadable. Scores and differences are sums in the
clear: their rows are deleted instead.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from backend.people.models import PatientKey
from backend.predictions.models import OutcomeScore, Prediction, ShadowAnswer


def kept(patients: Collection[UUID]) -> set[UUID]:
    """Those of the patients who were not erased; call it in the writing transaction.

    An erasure that comes meanwhile waits for its end and finds what it wrote.
    """
    keys = PatientKey.objects.filter(patient__in=patients).order_by("pk")
    return set(keys.select_for_update().values_list("patient_id", flat=True))


def forget(*, instance: PatientKey, **_: object) -> None:
    """Delete what is in the clear of the patient whose key was just deleted.

    Connected to that, so that no way of erasing a patient leaves it out.
    """
    predictions = Prediction.objects.filter(patient=instance.patient_id)
    OutcomeScore.objects.filter(prediction__in=predictions).delete()
    ShadowAnswer.objects.filter(prediction__in=predictions).delete()
    predictions.exclude(scored_with="").update(scored_with="")
