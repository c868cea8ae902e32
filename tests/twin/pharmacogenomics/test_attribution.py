"""Whose facts are used is said with version and licence."""

from __future__ import annotations

from backend.twin.pharmacogenomics.advice_table import SOURCES, tables
from backend.twin.pharmacogenomics.attribution import attributions


def test_every_source_is_attributed_as_its_file_states():
    found = attributions()
    assert tuple(one.source for one in found) == SOURCES
    for one in found:
        assert (one.guidelines, one.advice) == tables()[one.source].versions
        assert one.by and one.licence


def test_what_asks_for_attribution_and_sharing_alike_gets_both():
    (dpwg,) = (one for one in attributions() if one.source == "DPWG")
    assert dpwg.licence.startswith("CC BY-SA 4.0")
    for said in ("KNMP", "ClinPGx", "licenses/by-sa/4.0", "shared alike"):
        assert said in dpwg.by
