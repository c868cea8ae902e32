"""Values in a FHIR search: what is data in them, and what divides them.

Source: hl7.org/fhir/R4/search.html#escaping: `,` divides alternatives, `|` the system
from the code, `$` the parts of a composite, and a backslash takes their meaning away.
"""

from __future__ import annotations

import re

_DIVIDES = re.compile(r"([\\,|$])")
_ESCAPED = re.compile(r"\\([\\,|$])")
# What a divider does not divide: escaped pairs, and anything but the divider.
_ALTERNATIVE = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_PART = re.compile(r"(?:\\.|[^|\\])*", re.DOTALL)


def escaped(text: str) -> str:
    """Data as one plain value of a search."""
    return _DIVIDES.sub(r"\\\1", text)


def token(system: str, value: str) -> str:
    """A token: the value (a code, an identifier's value) in its system."""
    return f"{escaped(system)}|{escaped(value)}"


def alternatives(stated: str) -> list[str]:
    """The values that a search gives of one parameter, each still escaped."""
    return _ALTERNATIVE.findall(stated)


def parts_of_token(stated: str) -> list[str]:
    """The parts between the pipes of a token as plain data; two where it is sound."""
    parts, at = [], 0
    while at <= len(stated):
        found = _PART.match(stated, at)
        end = len(stated) if found is None else found.end()
        parts.append(_ESCAPED.sub(r"\1", stated[at:end]))
        at = end + 1
    return parts
