from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from backend.twin.errors import EhrMalformed, EhrNotFound, EhrRefused, EhrUnavailable
from fhir_integration.answers import (
    error_for,
    is_transient,
    require_r4,
    retry_after_s,
)


def now() -> datetime:
    return datetime(2026, 2, 28, 12, 0, tzinfo=UTC)


def answer(status: int, retry_after: str | None = None) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx.Response(status, headers=headers, content=b"Jane Doe, PHQ-9 = 12")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, EhrRefused),
        (400, EhrRefused),
        (401, EhrRefused),
        (404, EhrNotFound),
        (408, EhrUnavailable),
        (410, EhrNotFound),
        (412, EhrRefused),
        (429, EhrUnavailable),
        (500, EhrUnavailable),
        (501, EhrRefused),
        (503, EhrUnavailable),
        (505, EhrRefused),
    ],
)
def test_each_status_has_its_error_and_quotes_nothing(
    status: int, kind: type[Exception]
) -> None:
    error = error_for(answer(status), now=now)
    assert type(error) is kind
    assert "Jane" not in str(error)
    assert is_transient(status) == isinstance(error, EhrUnavailable)


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        ("0", 0.0),
        ("99999999999999", 120.0),
        ("Sat, 28 Feb 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Feb 2026 11:00:00 GMT", 0.0),
        ("Sat, 28 Feb 2027 11:00:00 GMT", 120.0),
        ("Sat, 28 Feb 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 120.0),
        ("-1", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    stated: str | None, seconds: float | None
) -> None:
    if stated == "²":  # headers are latin-1; httpx hands it over as it came
        response = httpx.Response(
            503, headers=[(b"retry-after", "²".encode("latin-1"))]
        )
    else:
        response = answer(503, stated)
    assert retry_after_s(response, now=now) == seconds


def test_the_wait_reaches_the_caller() -> None:
    unavailable = error_for(answer(503, "7"), now=now)
    assert isinstance(unavailable, EhrUnavailable)
    assert unavailable.retry_after_s == 7.0
    assert (
        EhrUnavailable("x").retry_after_s
        == error_for(answer(500), now=now).retry_after_s
    )  # type: ignore[attr-defined]


def stating(content_type: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "application/fhir+json; charset=utf-8",
        "application/fhir+json; fhirVersion=4.0",
        'application/fhir+json;charset=utf-8;fhirVersion="4.3"',
        "text/html",
    ],
)
def test_r4_and_what_states_no_version_is_read(content_type: str) -> None:
    require_r4(stating(content_type))


@pytest.mark.parametrize("version", ["1.0", "3.0", "5.0", "6.0-jane"])
def test_another_version_is_malformed_and_not_quoted(version: str) -> None:
    stated = f"application/fhir+json; charset=utf-8; fhirVersion={version}"
    with pytest.raises(EhrMalformed, match="another fhirVersion") as caught:
        require_r4(stating(stated))
    assert version not in str(caught.value)


def test_a_failure_counts_by_its_status_whatever_version_it_states() -> None:
    require_r4(stating("application/fhir+json; fhirVersion=3.0", status=503))
