"""JSON from outside, parsed strictly: bounded size and depth, finite numbers only."""

from __future__ import annotations

from typing import Any

import orjson

from backend.twin.errors import EhrMalformed

# A FHIR resource as it came: nothing about it is promised, so its values are Any and
# every use checks the type first.
Json = dict[str, Any]

MAX_BYTES = 32 * 1024 * 1024  # a page of 200 large resources stays far below


def parse(raw: bytes) -> Json:
    """Parse one JSON object.

    orjson refuses NaN, Infinity, numbers beyond a double and broken surrogates; of
    repeated keys it keeps the last. Writing the value back costs a microsecond per
    resource and refuses nesting deeper than 254, so that no later step can recurse
    without end. Raises EhrMalformed with a text that quotes nothing of the input.
    """
    if len(raw) > MAX_BYTES:
        raise EhrMalformed("the EHR's answer is larger than the limit")
    try:
        value = orjson.loads(raw)
        orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise EhrMalformed("the EHR's answer is not strict JSON") from None
    if not isinstance(value, dict):
        raise EhrMalformed("the EHR's answer is not a JSON object")
    return value
