"""A record in which every field carries a canary, and the search for canaries."""

from __future__ import annotations

import base64
import html
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote

import httpx

from backend.twin.simulation.treatment_demo import treatment_records
from backend.twin.simulation.wearable_demo import LABELS, wearable_records
from fhir_integration import seed
from fhir_integration.codes import ANSWERS, DIARY, LOINC, RANGE, RATING, SURVEY, UCUM

SCORE = 7.13579  # of ratings, and of a breath rate
PAGE = 100  # resources put into the EHR at once
PATIENT, STRANGER = "ehrpat-Qz7canary", "ehrpat-Qz8stranger"
OBSERVATION = "ehrobs-Qz9canary"  # each Observation's id begins with it
HELD = {  # what the EHR's own journal holds, in the places that FHIR has for texts
    "patient": PATIENT,
    "wrong patient": STRANGER,
    "observation": OBSERVATION,
    "family": "Zyrcanary-Kørvæld",
    "given": "Wendelcanary-Ωmega",
    "identifier": "MRNcanary-4711-0815",
    "street": "Canarystrætet 77b",
    "phone": "+47 555 canary 0199",
    "birth date": "1943-11-29",
    "entry identifier": "ENTRYcanary-99",
    "note": 'Notecanary: «hears "voices"» at night',
    "text": "Textcanary of the code",
    "display": "Displaycanary of the coding",
    "narrative": "Narrativecanary",
    "performer": "Practitioner/performercanary",
    "diary code": "diarycanary-dread",
    "safety": "Safetycanary answer text",
    "malformed": "Malformedcanary\tvalue",
}
TOLD = {  # what only comes in answers of the EHR
    "diagnostics": "Diagnosticscanary: SQL near 'Kørvæld'",
    "details": "Detailscanary",
    "link": "linkcanary.example",
}
ASKED = {  # what callers send
    "login": "logincanary-Ødegård",
    "wrong password": "passwordcanary-wrong",
    "body": "bodycanary-æøå",
    "day": "daycanary",
    "path": "pathcanary-MRN",
    "query": "querycanary-MRN",
    "token": "tokencanary0123456789",
    "csv label": "csvcanary-Kørvæld",
    "csv symptom": "symptomcanary",
    "medicine": "medicinecanary-æø",
}
CANARIES = HELD | TOLD | ASKED


def patient(own_id: str) -> dict:
    """A Patient with everything that names a person."""
    return {
        "resourceType": "Patient",
        "id": own_id,
        "text": {"status": "generated", "div": f"<div>{HELD['narrative']}</div>"},
        "identifier": [{"system": "urn:mrn", "value": HELD["identifier"]}],
        "name": [{"family": HELD["family"], "given": [HELD["given"]]}],
        "birthDate": HELD["birth date"],
        "address": [{"line": [HELD["street"]]}],
        "telecom": [{"system": "phone", "value": HELD["phone"]}],
    }


def observations(today: date) -> list[dict]:
    """Ratings, a diary item of the site's own, a questionnaire with safety item, and
    resources that cannot be used.
    """
    mood = {"system": RATING, "code": "mood-0-10"}
    dread = {"system": DIARY, "code": HELD["diary code"]}
    total = {"system": LOINC, "code": "44261-6"}
    item = {"system": LOINC, "code": "44260-8"}
    often = next(code for code, score in ANSWERS.items() if score == 2)
    days = [today - timedelta(days=back) for back in range(1, 25)]
    made = [
        *(_quantity(mood, day, SCORE if n % 3 else 4) for n, day in enumerate(days)),
        *(_quantity(dread, day, SCORE) | _scale_mark() for day in days[:9]),
        _quantity(total, days[2], 21) | {"valueQuantity": {"value": 21}},
        _one(item, days[2])
        | {
            "valueCodeableConcept": {
                "coding": [{"system": LOINC, "code": often, "display": HELD["safety"]}],
                "text": HELD["safety"],
            }
        },
        _one(mood, days[0]) | {"valueString": str(SCORE)},
        _one(mood, days[1]) | {"valueString": HELD["malformed"]},
        _one(mood, days[1]) | {"status": HELD["malformed"], "valueInteger": 3},
        _one(mood, days[1]) | {"valueQuantity": {"value": 3, "unit": HELD["text"]}},
    ]
    return [_named(one, n) for n, one in enumerate(made)]


def measured(today: date) -> list[dict]:
    """A wearable, and ratings that follow one of its signals: a link to be found."""
    record = wearable_records(today)[LABELS[0]]
    found = list(seed.observations(record, patient=PATIENT))
    breath = _vital({"system": LOINC, "code": "9279-1"}, today - timedelta(days=2))
    return [
        _named(_covered(one, today), f"w{n}") for n, one in enumerate([*found, breath])
    ]


def treated() -> list[dict]:
    """Genes, and orders of medicines that do not go with them."""
    (record,) = treatment_records().values()
    genes = seed.observations(replace(record, medications=()), patient=PATIENT)
    orders = seed.orders(record, patient=PATIENT)
    texts = {"note": [{"text": HELD["note"]}]}
    return [texts | _named(one, f"t{n}") for n, one in enumerate([*genes, *orders])]


def _vital(coding: dict, day: date) -> dict:
    rate = {"value": SCORE, "unit": "/min", "system": UCUM, "code": "/min"}
    return _one(coding, day) | {
        "effectiveDateTime": f"{day}T09:00:00+01:00",
        "valueQuantity": rate,
    }


def _covered(resource: dict, day: date) -> dict:
    """With the canaries of `_one`, where it has nothing of its own to say."""
    code = resource["code"] | {"text": HELD["text"]}
    told = _one({}, day)
    del told["effectiveDateTime"]
    return told | resource | {"code": code}


def _named(resource: dict, number: int | str) -> dict:
    """An id of its own, and an identifier of its own that carries the canary."""
    system, value = "urn:entry", f"{HELD['entry identifier']}-{number}"
    return resource | {
        "id": f"{OBSERVATION}-{number}",
        "identifier": [{"system": system, "value": value}],
    }


def fill(ehr_url: str, today: date) -> None:
    """Put it all into the sandbox, under ids that are canaries themselves."""
    held = [patient(PATIENT), patient(STRANGER), *observations(today)]
    held += [*measured(today), *treated()]
    entries = [
        {
            "resource": one,
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
        }
        for one in held
    ]
    with httpx.Client(timeout=60) as http:
        for page in range(0, len(entries), PAGE):
            batch = {"resourceType": "Bundle", "type": "batch"}
            batch |= {"entry": entries[page : page + PAGE]}
            done = http.post(ehr_url, json=batch).raise_for_status().json()
            assert all(one["response"]["status"][:3] == "201" for one in done["entry"])


def extra_entries(today: date) -> list[dict]:
    """What the EHR slips into each page: nobody asked for these, or for this person."""
    odd = HELD["malformed"]
    plain = _quantity({"system": RATING, "code": "mood-0-10"}, today, 3)
    resources = [
        outcome(),
        plain | {"id": STRANGER, "subject": {"reference": f"Patient/{STRANGER}"}},
        plain | {"id": odd, "subject": HELD["family"]},
        plain | {"id": f"{OBSERVATION}-a", "effectiveDateTime": odd},
        plain | {"id": f"{OBSERVATION}-b", "code": {"coding": [{"code": odd}]}},
        plain | {"id": f"{OBSERVATION}-c", "status": {"odd": odd}},
        odd,
    ]
    return [{"resource": one} for one in resources]


def outcome() -> dict:
    """An OperationOutcome that says too much."""
    issue = {
        "severity": "error",
        "code": "processing",
        "diagnostics": f"{TOLD['diagnostics']} {HELD['family']} {PATIENT}",
        "details": {"text": TOLD["details"]},
    }
    return {"resourceType": "OperationOutcome", "id": PATIENT, "issue": [issue]}


def _one(coding: dict, day: date) -> dict:
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:entry", "value": HELD["entry identifier"]}],
        "status": "final",
        "category": [{"coding": [{"system": SURVEY, "code": "survey"}]}],
        "code": {
            "coding": [coding | {"display": HELD["display"]}],
            "text": HELD["text"],
        },
        "subject": {"reference": f"Patient/{PATIENT}", "display": HELD["family"]},
        "effectiveDateTime": day.isoformat(),
        "performer": [{"reference": HELD["performer"]}],
        "note": [{"text": HELD["note"]}],
    }


def _quantity(coding: dict, day: date, value: float) -> dict:
    score = {"unit": "{score}", "system": UCUM, "code": "{score}"}
    return _one(coding, day) | {"valueQuantity": score | {"value": value}}


def _scale_mark() -> dict:
    ends = {"low": {"value": 0}, "high": {"value": 10}}
    kind = {"coding": [{"system": RANGE, "code": "scale"}]}
    return {"referenceRange": [ends | {"type": kind}]}


def hits(data: bytes, canaries: dict[str, str]) -> set[str]:
    """Names of the canaries that `data` holds, in whatever writing, any case."""
    lower = data.lower()
    return {
        name
        for name, text in canaries.items()
        if any(form.lower() in lower for form in _writings(text))
        or any(form in data for form in _base64(text.encode()))
    }


def hits_of_score(data: bytes) -> set[str]:
    """The score as text or as a binary number."""
    forms = {"text": str(SCORE).encode(), "<d": struct.pack("<d", SCORE)}
    forms[">d"] = struct.pack(">d", SCORE)
    return {name for name, form in forms.items() if form in data}


def _writings(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield raw
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()
    yield quote(text).encode()
    yield html.escape(text).encode()
    yield text.encode("unicode_escape")
    yield text.encode("utf-16-le")
    yield raw.hex().encode()


def _base64(raw: bytes) -> Iterator[bytes]:
    """The part of the base64 text that does not depend on what stands beside."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        yield coded[(0, 2, 3)[shift] : -4]
