"""How anything of ours gets into the EHR: created once, read back, vouched for."""

from __future__ import annotations

from fhir_integration.client import Created, FhirClient
from fhir_integration.comparison import compare_voucher
from fhir_integration.invariants import check_structure
from fhir_integration.search_values import token
from fhir_integration.strict_json import Json


def create(client: FhirClient, resource: Json, *, until: float) -> Created:
    """Create a resource of ours unless its identifier is there.

    Raises NotConformant where it breaks R4; then nothing is sent.
    """
    check_structure(resource)
    [own] = resource["identifier"]
    condition = {"identifier": token(own["system"], own["value"])}
    return client.create(resource, if_none_exist=condition, until=until)


def vouch(client: FhirClient, provenance: Json, *, until: float) -> str:
    """Create the Provenance unless its Device vouches already; its reference."""
    check_structure(provenance)
    # By its agent too: an EHR may write a Provenance of its own for each write.
    condition = {
        "target": provenance["target"][0]["reference"],
        "agent": provenance["agent"][0]["who"]["reference"],
    }
    written = client.create(provenance, if_none_exist=condition, until=until)
    compare_voucher(provenance, client.read(written.reference, until=until))
    return written.reference
