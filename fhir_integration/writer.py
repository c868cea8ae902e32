"""Writes a forecast into the EHR once, however often it is called; reads it back."""

from __future__ import annotations

from backend.twin.ports import ForecastDocument, Receipt
from fhir_integration import forecast_resources
from fhir_integration.client import Created, FhirClient
from fhir_integration.comparison import compare, compare_day
from fhir_integration.delivering import create, vouch
from fhir_integration.invariants import check_day, check_forecast


def write_forecast(
    client: FhirClient, document: ForecastDocument, *, until: float
) -> Receipt:
    """Device, Observation, Provenance, each by conditional create.

    The Observation is read back by its id and compared before the Provenance vouches
    for it. Cut off anywhere, a repeat finds what is there and does the rest. Raises
    KeptOtherwise where the EHR keeps something else than was sent, NotConformant where
    we would send something that R4 or our own rules forbid.
    """
    device = _write_device(client, document, until=until)
    sent = forecast_resources.observation(document, device_reference=device)
    check_forecast(sent, document.forecast.scale)
    written = create(client, sent, until=until)
    kept = client.read(written.reference, until=until)
    compare(sent, kept, created=written.created)
    provenance = _vouch(client, document, [written.reference], device, until=until)
    return Receipt(written.reference, device, provenance, written.created)


def write_days(
    client: FhirClient, document: ForecastDocument, *, until: float
) -> Receipt:
    """For an EHR that strips components: one plain Observation a day, the median.

    The receipt names the first day; one Provenance vouches for all fourteen. Each day
    has an identifier of its own, made from the document's, so a repeat is harmless.
    """
    device = _write_device(client, document, until=until)
    days: list[Created] = []
    for sent in forecast_resources.day_observations(document, device_reference=device):
        check_day(sent, document.forecast.scale)
        days.append(create(client, sent, until=until))
        compare_day(sent, client.read(days[-1].reference, until=until))
    references = [day.reference for day in days]
    provenance = _vouch(client, document, references, device, until=until)
    created = any(day.created for day in days)
    return Receipt(references[0], device, provenance, created)


def _write_device(
    client: FhirClient, document: ForecastDocument, *, until: float
) -> str:
    made = forecast_resources.device(document.forecast)
    return create(client, made, until=until).reference


def _vouch(
    client: FhirClient,
    document: ForecastDocument,
    observations: list[str],
    device: str,
    *,
    until: float,
) -> str:
    made = forecast_resources.provenance(
        document, observation_references=observations, device_reference=device
    )
    return vouch(client, made, until=until)
