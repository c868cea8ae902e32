"""Genes whose disease-causing variants are a condition, and no key of a guideline.

A report may name them among its genes: FDA's table of biomarkers lists POLG for
valproate, whose label is contraindicated with a variant that causes disease. A negative
test excludes only the variants it looked for, so it leaves the condition unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.normalise import is_not_called

CONDITIONS: Mapping[str, str] = MappingProxyType({"POLG": "polg"})
_THERE = frozenset(
    {"positive", "present", "detected", "carrier", "pathogenic", "likely pathogenic"}
)
_NOT_FOUND = frozenset(
    {"negative", "absent", "not present", "not detected", "non-carrier", "benign"}
)


def is_carried(call: Call) -> bool:
    """Whether the laboratory says that a variant is there; False is not "excluded".

    Raises CallRefused where its words cannot be read.
    """
    told = (call.diplotype, call.phenotype, *(call.alleles or ()))
    words = {" ".join(one.lower().split()) for one in told if one}
    if words & _THERE:
        return True
    if all(one in _NOT_FOUND or is_not_called(one) for one in words):
        return False
    raise CallRefused("unread", "whether a variant is there cannot be read")
