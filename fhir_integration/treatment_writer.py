"""Writes advice on a medicine into the EHR once, however often it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from backend.twin.ports import Receipt, TreatmentDocument
from fhir_integration import treatment_resources as resources
from fhir_integration.client import Created, FhirClient
from fhir_integration.delivering import create, vouch
from fhir_integration.invariants import check_structure
from fhir_integration.strict_json import Json
from fhir_integration.treatment_actions import issue, tasks
from fhir_integration.treatment_comparison import compare_treatment, compare_words
from fhir_integration.treatment_invariants import (
    check_action,
    check_implication,
    check_response,
)


class _Way(NamedTuple):
    """How Observations are made, and compared after; with components or without."""

    implication: Callable[..., Json]
    response: Callable[..., Json]
    compare: Callable[..., None]


_FULL = _Way(resources.implication, resources.response, compare_treatment)
_FLAT = _Way(resources.flat_implication, resources.flat_response, compare_words)
_UNSENT, _UNSENT_DEVICE = "Observation/unsent", "Device/unsent"


def write_treatment(
    client: FhirClient, document: TreatmentDocument, *, until: float
) -> Receipt:
    """Device, implication, Tasks, DetectedIssue, estimate, Provenance of each maker.

    Each by conditional create. What may be sent is looked at before anything is; each
    is read back by its id and compared before a Provenance vouches for it. Cut off
    anywhere, a repeat does the rest. Raises KeptOtherwise where the EHR keeps something
    else than was sent, NotConformant where we would send what R4 or our own rules
    forbid.
    """
    return _write(client, document, _FULL, until=until)


def write_treatment_in_words(
    client: FhirClient, document: TreatmentDocument, *, until: float
) -> Receipt:
    """For an EHR that strips components: Observations with notes alone."""
    return _write(client, document, _FLAT, until=until)


def _write(
    client: FhirClient, document: TreatmentDocument, way: _Way, *, until: float
) -> Receipt:
    _look(document, way)
    made = resources.rules_device()
    device = create(client, made, until=until).reference
    sent = way.implication(document, device_reference=device)
    first = _deliver(client, sent, way.compare, until=until)
    actions = [
        _deliver(client, one, compare_treatment, until=until)
        for one in _actions(document, first.reference, device)
    ]
    written = [one.reference for one in (first, *actions)]
    voucher = resources.provenance(
        document, references=written, device_reference=device, is_by_model=False
    )
    provenance = vouch(client, voucher, until=until)
    estimate = _estimate(client, document, way, until=until)
    others = (*written[1:], *(one.reference for one in estimate))
    created = any(one.created for one in (first, *actions, *estimate))
    return Receipt(first.reference, device, provenance, created, others)


def _look(document: TreatmentDocument, way: _Way) -> None:
    """Raise NotConformant if anything of it may not be sent."""
    planned = way.implication(document, device_reference=_UNSENT_DEVICE)
    check_implication(planned)
    check_structure(planned)
    for action in _actions(document, _UNSENT, _UNSENT_DEVICE):
        check_action(action)
        check_structure(action)
    if document.response is not None:
        estimate = way.response(document, device_reference=_UNSENT_DEVICE)
        check_response(estimate)
        check_structure(estimate)


def _actions(
    document: TreatmentDocument, implication: str, device: str
) -> Iterator[Json]:
    yield from tasks(document, implication=implication, device_reference=device)
    conflict = issue(document, implication=implication, device_reference=device)
    if conflict is not None:
        yield conflict


def _estimate(
    client: FhirClient, document: TreatmentDocument, way: _Way, *, until: float
) -> list[Created]:
    """What the response model says, under its own Device and Provenance; if it does."""
    if document.response is None:
        return []
    made = resources.response_device(document)
    device = create(client, made, until=until).reference
    sent = way.response(document, device_reference=device)
    written = _deliver(client, sent, way.compare, until=until)
    voucher = resources.provenance(
        document,
        references=[written.reference],
        device_reference=device,
        is_by_model=True,
    )
    vouch(client, voucher, until=until)
    return [written]


def _deliver(
    client: FhirClient, sent: Json, same: Callable[..., None], *, until: float
) -> Created:
    written = create(client, sent, until=until)
    same(sent, client.read(written.reference, until=until), created=written.created)
    return written
