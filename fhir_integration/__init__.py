"""The adapter to EHRs: FHIR R4 over HTTP on one side, the twin's values on the other.

It knows the twin and nothing else of MindTwin: no Django, no models, no predictions.
One FHIR dict enters at `reader`, one leaves at `writer`; nothing between knows FHIR.

    site       one site's EHR, the port `backend.twin.ports.Ehr`
    client     HTTP: paging, retries, deadlines, conditional create
    reader     Observations -> PatientRecord, each one used or refused by a reason
    writer     Forecast -> Device, Observation, Provenance, written once
    sandbox    a small R4 server to try all this against
"""
