"""Security labels: what the EHR marks as restricted is not read.

Source: HL7 v3-Confidentiality, as `meta.security` carries it (hl7.org/fhir/R4/
security-labels.html).
"""

from __future__ import annotations

from fhir_integration.strict_json import Json

_SYSTEMS = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "http://hl7.org/fhir/v3/Confidentiality",  # before R4
        "urn:oid:2.16.840.1.113883.5.25",
    }
)
# Unrestricted, low, moderate, normal. The rest of the system is restricted (R), very
# restricted (V), or retired codes for what is kept apart (HIV, PSY, taboo).
_OPEN = frozenset({"U", "L", "M", "N"})
_CLOSED = frozenset({"R", "V"})


def is_restricted(resource: Json) -> bool:
    """True if a label keeps the resource from ordinary use; never raises.

    The safe side: a label that is there but cannot be read counts as a restriction,
    since nobody here can tell what it forbids. Labels of other systems do not.
    """
    meta = resource.get("meta")
    labels = meta.get("security") if isinstance(meta, dict) else None
    if labels is None:
        return False
    return not isinstance(labels, list) or any(map(_restricts, labels))


def _restricts(label: object) -> bool:
    if not isinstance(label, dict):
        return True
    system, code = label.get("system"), label.get("code")
    if system is None:
        return isinstance(code, str) and code.strip() in _CLOSED
    if not isinstance(system, str):
        return True
    if system.strip() not in _SYSTEMS:
        return False
    return not isinstance(code, str) or code.strip() not in _OPEN
