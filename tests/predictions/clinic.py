"""A real EHR, the sandbox, with one patient; and what a nurse does to entries there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from backend.twin.record import PatientRecord
from fhir_integration.codes import ITEMS, PREDICTION
from fhir_integration.seed import seed
from fhir_integration.site import FhirEhr
from tests.predictions import fakes

LOINC = "http://loinc.org"
MOOD, PHQ9, ITEM = "mood-0-10", "44261-6", "44260-8"
Change = dict[str, Any]
RETRACTED: Change = {"status": "entered-in-error"}


class Clinic:
    """The sandbox EHR with one patient; what a nurse does to an entry there."""

    def __init__(self, base_url: str) -> None:
        last = fakes.LAST_DAY
        record = PatientRecord(
            series=(fakes.diary(last=last), fakes.questionnaire(8, 9, last=last)),
            safety=(fakes.self_harm(last, value=0.0),),
        )
        self.base_url, self.site = base_url, FhirEhr(base_url)
        self.http = httpx.Client(trust_env=False)
        self.patient = seed(self.site.client, "one", record)

    def close(self) -> None:
        self.http.close()
        self.site.close()

    def entries(self, code: str) -> list[Change]:
        """Its entries of this code, oldest first."""
        found = self.site.client.search("Observation", {"patient": self.patient})
        own = [r for r in found if r["code"]["coding"][0]["code"] == code]
        return sorted(own, key=lambda resource: resource["effectiveDateTime"])

    def change(self, code: str, *, back: int = 0, **changes: Any) -> Change:
        """The entry so many before the newest, changed there; returns it as it was."""
        resource = self.entries(code)[-1 - back]
        self.put({**resource, **changes})
        return resource

    def put(self, resource: Change) -> None:
        path = f"{self.base_url}/{resource['resourceType']}/{resource['id']}"
        self.http.put(path, json=resource).raise_for_status()

    def fill_in(self, day: str, answers: Sequence[int]) -> None:
        """A PHQ-9 as nine Observations "i0" to "i8" and the "panel" over them."""
        about = {
            "resourceType": "Observation",
            "status": "final",
            "subject": {"reference": f"Patient/{self.patient}"},
            "effectiveDateTime": day,
        }
        codes = dict(zip(ITEMS["phq9"], answers, strict=True))
        for number, (code, answer) in enumerate(codes.items()):
            coding = {"coding": [{"system": LOINC, "code": code}]}
            item = {**about, "id": f"i{number}", "code": coding}
            self.put({**item, "valueInteger": answer})
        members = [{"reference": f"Observation/i{n}"} for n in range(len(codes))]
        coding = {"coding": [{"system": LOINC, "code": "44249-1"}]}
        self.put({**about, "id": "panel", "code": coding, "hasMember": members})

    def update(self, own_id: str, **changes: Any) -> None:
        """The Observation of this id, changed there."""
        path = f"{self.base_url}/Observation/{own_id}"
        self.put({**self.http.get(path).raise_for_status().json(), **changes})

    def merge_into(self, survivor: str) -> None:
        """The patient's record gives way to another one, which is new."""
        link = {"type": "replaced-by", "other": {"reference": f"Patient/{survivor}"}}
        self.put({"resourceType": "Patient", "id": survivor})
        self.put({"resourceType": "Patient", "id": self.patient, "link": [link]})

    def forecasts(self) -> list[str]:
        """Identifiers of the forecasts that were written here."""
        params = {"identifier": f"{PREDICTION}|"}
        found = self.site.client.search("Observation", params)
        return [resource["identifier"][0]["value"] for resource in found]
