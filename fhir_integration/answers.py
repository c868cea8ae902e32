"""From an HTTP status to an error of the tree, and how long to wait before a repeat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from backend.twin.errors import (
    EhrError,
    EhrMalformed,
    EhrNotFound,
    EhrRefused,
    EhrUnavailable,
)
from fhir_integration.versions import states_other_version

LONGEST_WAIT_S = 120.0  # no Retry-After is believed beyond this
DEFAULT_WAIT_S = 30.0
_FINAL_5XX = frozenset({501, 505})  # "not implemented" does not pass with time


def is_transient(status: int) -> bool:
    """True where the same request may succeed later: 408, 429 and most of 5xx."""
    return status in (408, 429) or (status >= 500 and status not in _FINAL_5XX)


def error_for(response: httpx.Response, *, now: Callable[[], datetime]) -> EhrError:
    """The error that an unsuccessful answer stands for; quotes nothing of it."""
    status = response.status_code
    if is_transient(status):
        wait = retry_after_s(response, now=now)
        return EhrUnavailable(
            f"the EHR answered {status}",
            retry_after_s=DEFAULT_WAIT_S if wait is None else wait,
        )
    if status in (404, 410):
        return EhrNotFound("the EHR has no such resource", status=status)
    return EhrRefused(f"the EHR answered {status}", status=status)


def require_r4(response: httpx.Response) -> None:
    """Raise EhrMalformed for a success that states another FHIR version than R4's.

    Only the word of the header is named, never what the server wrote there.
    """
    stated = response.headers.get("content-type", "")
    if response.is_success and states_other_version(stated):
        raise EhrMalformed(
            "the EHR's answer states another fhirVersion than 4.0 or 4.3"
        )


def retry_after_s(
    response: httpx.Response, *, now: Callable[[], datetime]
) -> float | None:
    """Seconds the server asks to wait (RFC 9110: a number or a date), capped."""
    stated = response.headers.get("retry-after", "").strip()
    if not stated:
        return None
    if stated.isascii() and stated.isdigit():
        return min(float(stated[:9]), LONGEST_WAIT_S)
    try:
        then = parsedate_to_datetime(stated)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        wait_s = (then - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or none that is near
        return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)
