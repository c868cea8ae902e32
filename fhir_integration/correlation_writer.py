"""Writes a link in words into the EHR once, however often it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from backend.twin.ports import CorrelationDocument, Receipt
from fhir_integration import correlation_resources as resources
from fhir_integration.client import FhirClient
from fhir_integration.comparison import compare_coefficient, compare_correlation
from fhir_integration.correlation_invariants import check_coefficient, check_correlation
from fhir_integration.delivering import create, vouch
from fhir_integration.invariants import check_structure
from fhir_integration.strict_json import Json


class _Way(NamedTuple):
    """How the Observation is made, looked at before it leaves, and compared after."""

    made: Callable[..., Json]
    check: Callable[[Json], None]
    compare: Callable[..., None]


_FULL = _Way(resources.observation, check_correlation, compare_correlation)
_FLAT = _Way(resources.flat_observation, check_coefficient, compare_coefficient)
_UNSENT = "Device/unsent"  # stands for a Device that is not there yet


def write_correlation(
    client: FhirClient, document: CorrelationDocument, *, until: float
) -> Receipt:
    """Device, Observation, Provenance, each by conditional create.

    What may be sent is looked at before anything is. The Observation is read back by
    its id and compared before the Provenance vouches for it; cut off anywhere, a repeat
    does the rest. Raises KeptOtherwise where the EHR keeps something else than was
    sent, NotConformant where we would send what R4 or our own rules forbid.
    """
    return _write(client, document, _FULL, until=until)


def write_coefficient(
    client: FhirClient, document: CorrelationDocument, *, until: float
) -> Receipt:
    """For an EHR that strips components: the coefficient, and the rest as a note."""
    return _write(client, document, _FLAT, until=until)


def _write(
    client: FhirClient, document: CorrelationDocument, way: _Way, *, until: float
) -> Receipt:
    planned = way.made(document, device_reference=_UNSENT)
    way.check(planned)
    check_structure(planned)
    device = create(client, resources.device(document), until=until).reference
    sent = way.made(document, device_reference=device)
    written = create(client, sent, until=until)
    kept = client.read(written.reference, until=until)
    way.compare(sent, kept, created=written.created)
    voucher = resources.provenance(
        document, observation_references=[written.reference], device_reference=device
    )
    provenance = vouch(client, voucher, until=until)
    return Receipt(written.reference, device, provenance, written.created)
