"""JSON from outside, parsed strictly: bounded, finite, each key once, no hidden NUL.

Parsing sits in the path of every resource, so the faults that orjson lets through are
looked for by counting bytes, and which fault it was is found out only after a refusal.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from math import isinf
from typing import Any, NoReturn

import orjson

from backend.twin.errors import EhrMalformed

# A FHIR resource as it came: nothing about it is promised, so its values are Any and
# every use checks the type first.
Json = dict[str, Any]

MAX_BYTES = 32 * 1024 * 1024  # a page of 200 large resources stays far below
MAX_DEPTH = 254  # what orjson writes back; a resource of R4 stays below 40
# Python needs up to 240 bytes for what JSON writes in two or three, so the memory that
# a text takes is bounded by counts. Public records open an object or a list every 55
# bytes and have a comma every 40: 64 MB of them hold 1.2 million and 2.9 million.
MAX_OPENED = 2_000_000
MAX_VALUES = 6_000_000

_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|[][{}]', re.DOTALL)


class JsonFault(StrEnum):
    """What is wrong with a text that should be one strict JSON object; closed list."""

    TOO_LARGE = "larger than the limit"
    TOO_MANY = "holds more values than the limit"
    NOT_UTF8 = "not UTF-8"
    NUL = "holds a NUL character"
    TOO_DEEP = "nested too deep"
    NOT_FINITE = "holds NaN or Infinity"
    NUMBER_TOO_LARGE = "holds a number beyond a double"
    LONE_SURROGATE = "holds half a surrogate pair"
    DUPLICATE_KEY = "names a key twice"
    NOT_AN_OBJECT = "not an object"
    SYNTAX = "not JSON"


class NotStrict(EhrMalformed):
    """A text that is not one strict JSON object; `fault` says why, quoting nothing."""

    def __init__(self, fault: JsonFault) -> None:
        self.fault = fault
        super().__init__(f"the EHR's answer is not strict JSON: {fault}")


def parse(raw: bytes, *, max_bytes: int | None = None) -> Json:
    """Parse one JSON object of at most `max_bytes` bytes (MAX_BYTES).

    A byte order mark is skipped, as RFC 8259 allows (section 8.1). Writing the value
    back refuses deep nesting, so that no later step can recurse without end, and
    tells of repeated keys: it has one colon for each key that was kept.
    Raises NotStrict, whose text quotes nothing of the input.
    """
    if len(raw) > (MAX_BYTES if max_bytes is None else max_bytes):
        raise NotStrict(JsonFault.TOO_LARGE)
    if len(raw) > MAX_OPENED and _is_crowded(raw):
        raise NotStrict(JsonFault.TOO_MANY)
    if raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
    try:
        value = orjson.loads(raw)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise NotStrict(_fault(raw)) from None
    if not isinstance(value, dict):
        raise NotStrict(JsonFault.NOT_AN_OBJECT)
    if b"\\" in raw and b"\\u00" in raw:  # may hide a colon or be a NUL; rare
        _check_escaped(raw)
    elif raw.count(b":") != written.count(b":"):
        raise NotStrict(JsonFault.DUPLICATE_KEY)
    return value


def _is_crowded(raw: bytes) -> bool:
    """True if parsing it could take more memory than any record is worth."""
    opened = raw.count(b"{") + raw.count(b"[")
    return opened > MAX_OPENED or opened + raw.count(b",") > MAX_VALUES


def _check_escaped(raw: bytes) -> None:
    """The exact checks, for a text with escapes of the first 256 characters."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise NotStrict(JsonFault.DUPLICATE_KEY)

    if b"\0" in re.sub(rb"\\(u0000|.)", _unescaped, raw):
        raise NotStrict(JsonFault.NUL)
    json.loads(raw.decode(), object_pairs_hook=once, parse_int=float)


def _unescaped(found: re.Match[bytes]) -> bytes:
    return b"\0" if found[1] == b"u0000" else b""


def _fault(raw: bytes) -> JsonFault:
    """What orjson refused, found by a slower and more talkative parser."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return JsonFault.NOT_UTF8
    if b"\0" in raw:
        return JsonFault.NUL
    if _is_too_deep(raw):
        return JsonFault.TOO_DEEP
    try:
        json.loads(text, parse_constant=_constant, parse_float=_real, parse_int=_real)
    except NotStrict as refusal:
        return refusal.fault
    except ValueError:
        return JsonFault.SYNTAX
    return JsonFault.LONE_SURROGATE  # all else that orjson refuses was looked at


def _is_too_deep(raw: bytes) -> bool:
    level = 0
    for token in _TOKEN.finditer(raw):
        if token[0] in b"[{":
            level += 1
        elif token[0] in b"]}":
            level -= 1
        if level > MAX_DEPTH:
            return True
    return False


def _constant(_: str) -> NoReturn:
    raise NotStrict(JsonFault.NOT_FINITE)


def _real(text: str) -> float:
    if isinf(float(text)):
        raise NotStrict(JsonFault.NUMBER_TOO_LARGE)
    return 0.0
