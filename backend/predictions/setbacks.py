"""What a failed delivery means for the next attempt: how long to wait, when to end."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum

from backend.predictions.models import OutboxItem
from backend.twin.errors import EhrMalformed, EhrRefused, EhrUnavailable, SealBroken

FIRST_WAIT_S = 2.0  # doubled with each attempt ...
LONGEST_WAIT_S = 60.0  # ... up to this, so that a recovered EHR is served within it
LONGEST_ASKED_S = 3600.0  # an EHR may ask for more patience than that, and not get it
REFUSED_WAITS_S = (60.0, 600.0, 3600.0, 21600.0)  # time for somebody to mend it
MAX_REFUSALS = len(REFUSED_WAITS_S) + 1  # said no this often, it stays a no

NOT_LET_IN = frozenset({401, 403, 407})  # an expired token, a proxy in between


class Setback(StrEnum):
    """What kept a delivery from its end."""

    UNABLE = "the site takes nothing at present, whatever it is given"
    REFUSED = "the site, or our own check, does not take this answer"
    LOST = "the answer cannot be opened any more"


def setback_of(error: Exception) -> Setback:
    """What the error says of the next attempt.

    Not let in, sent elsewhere (3xx) and answers that are no FHIR say nothing of the
    forecast: a token ran out, or a gateway stands in between. What nobody foresaw
    counts against the one answer, so that it comes to an end.
    """
    if isinstance(error, SealBroken):
        return Setback.LOST
    if isinstance(error, EhrUnavailable | EhrMalformed):
        return Setback.UNABLE
    if isinstance(error, EhrRefused):
        turned_away = error.status in NOT_LET_IN or 300 <= error.status < 400
        return Setback.UNABLE if turned_away else Setback.REFUSED
    return Setback.REFUSED


def is_final(item: OutboxItem, setback: Setback) -> bool:
    """Whether another attempt would be pointless; `item` as it was before this one.

    A site that takes nothing is tried for ever: its record is not complete until then.
    """
    if setback is Setback.REFUSED:
        return item.refusals + 1 >= MAX_REFUSALS
    return setback is Setback.LOST


def wait(item: OutboxItem, error: Exception) -> timedelta:
    """How long to leave the item alone, never shorter than the EHR asked for.

    Refusals wait for hours in all, a site that takes nothing at most a minute. The
    jitter comes from the identifier and the attempt: spread like a random one, and the
    same when the case is repeated.
    """
    seed = hashlib.sha256(item.pk.bytes + item.attempts.to_bytes(4, "big")).digest()
    share = 0.5 + 0.5 * seed[0] / 255  # the upper half: never hurry
    asked = error.retry_after_s if isinstance(error, EhrUnavailable) else 0.0
    longest = _longest(item, setback_of(error))
    return timedelta(seconds=max(longest * share, min(asked, LONGEST_ASKED_S)))


def _longest(item: OutboxItem, setback: Setback) -> float:
    """Seconds, before jitter."""
    if setback is Setback.UNABLE:
        doubled = FIRST_WAIT_S * 2.0 ** min(item.attempts - 1, 10)
        return min(LONGEST_WAIT_S, doubled)
    return REFUSED_WAITS_S[min(item.refusals, len(REFUSED_WAITS_S) - 1)]
