"""What a record's diagnoses say of the conditions that safety rules ask about.

A diagnosis says that something is there. That none is found says nothing: a condition
without a diagnosis stays unknown, and answers name it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from backend.twin.history import Certainty, ClinicalState, Diagnosis
from backend.twin.pharmacogenomics.safety_facts import Has
from backend.twin.pharmacogenomics.safety_table import safety_rules

# Inborn, or dangerous once it ever was: these count whatever their state is now.
LASTING = frozenset(
    {"eating-disorder", "epilepsy", "long-qt", "mitochondrial", "severe-skin-reaction"}
    | {"urea-cycle"}
)
_PAST = frozenset(
    {ClinicalState.INACTIVE, ClinicalState.REMISSION, ClinicalState.RESOLVED}
)
PREGNANCY = timedelta(days=305)  # ten months, the longest that an entry counts


def conditions_of(diagnoses: Iterable[Diagnosis], day: date) -> dict[str, bool]:
    """Conditions by concept as of `day`: True where one is there, False where refuted.

    One that is over, or a pregnancy without a start, is left out: whether it is there
    on that day is unknown. A provisional diagnosis counts.
    """
    asked = concepts_asked()
    found: dict[str, bool] = {}
    for one in diagnoses:
        if one.concept in asked:
            said = _says(one, day)
            if said is not None:
                found[one.concept] = said or found.get(one.concept, False)
    return found


def concepts_asked() -> frozenset[str]:
    """Every concept that a safety rule asks about."""
    return frozenset(
        concept
        for rule in safety_rules()
        for asked in rule.when
        if isinstance(asked, Has)
        for concept in asked.concepts
    )


def _says(one: Diagnosis, day: date) -> bool | None:
    if one.certainty is Certainty.REFUTED:
        return False
    if one.concept in LASTING:
        return True
    is_over = one.resolved is not None and one.resolved <= day
    if one.state in _PAST or is_over:
        return None
    if one.concept == "pregnancy":
        return True if _may_last(one.onset, day) else None
    return True


def _may_last(onset: date | None, day: date) -> bool:
    return onset is not None and onset <= day <= onset + PREGNANCY
