"""What is asked of an EHR for a forecast: scores, and forms that may hold scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from backend.twin.errors import EhrRefused
from fhir_integration.client import FhirClient
from fhir_integration.codes import NO_SITE_CODES, SiteCodes, search_tokens
from fhir_integration.strict_json import Json

PAGE_SIZE = "200"  # the most that common servers give
# How servers say that they cannot search a type.
NO_SUCH_SEARCH = frozenset({400, 404, 405, 501})
_NOT_GRANTED = 403
_MARGIN = timedelta(days=1)


def symptom_resources(
    client: FhirClient,
    ehr_patients: Sequence[str],
    *,
    since: date,
    until: date,
    site_codes: SiteCodes = NO_SITE_CODES,
) -> Iterator[Json]:
    """Observations and QuestionnaireResponses of these ids of one patient, all pages.

    Of Observations only the codes that are read are asked for. A server compares days
    in UTC, so a day more is asked for on each side.
    """
    first, last = since - _MARGIN, until + _MARGIN
    deadline = client.deadline()
    for one in ehr_patients:
        yield from client.search(
            "Observation",
            [
                ("patient", one),
                ("code", search_tokens(site_codes)),
                ("date", f"ge{first}"),
                ("date", f"le{last}"),
                ("_count", PAGE_SIZE),
            ],
            until=deadline,
        )
        yield from _forms(client, one, first=first, last=last, deadline=deadline)


def _forms(
    client: FhirClient, ehr_patient: str, *, first: date, last: date, deadline: float
) -> Iterator[Json]:
    """The forms of those days; none where the EHR has no such search or grants none.

    Which questionnaire a form answers cannot be asked for: servers compare its URL, and
    each maker of forms has another.
    """
    asked = [
        ("patient", ehr_patient),
        ("authored", f"ge{first}"),
        ("authored", f"le{last}"),
        ("_count", PAGE_SIZE),
    ]
    kind = "QuestionnaireResponse"
    try:
        for found in client.search(kind, asked, until=deadline):
            if (
                found.get("resourceType") == kind
            ):  # some servers ignore what they dislike
                yield found
    except EhrRefused as refusal:
        if refusal.status not in NO_SUCH_SEARCH | {_NOT_GRANTED}:
            raise
