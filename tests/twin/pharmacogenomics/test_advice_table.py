"""The advice tables are read once, into rows that answer each cell once."""

from __future__ import annotations

import pytest

from backend.twin.pharmacogenomics.advice_table import (
    FILES,
    SOURCES,
    head,
    read_table,
    tables,
    text,
)

CPIC, GUIDELINES = text("cpic"), text("cpic_guidelines")


def test_every_source_has_its_table() -> None:
    assert tuple(tables()) == tuple(FILES) == SOURCES
    found = tables().items()
    assert {name: (len(one.guidelines), len(one.cells)) for name, one in found} == {
        "CPIC": (17, 1392),
        "DPWG": (26, 95),
        "FDA Label": (46, 19),
        "FDA Assoc": (38, 63),
    }


@pytest.mark.parametrize("name", FILES.values())
@pytest.mark.parametrize("kind", ["", "_guidelines"])
def test_every_file_says_source_version_and_licence(name: str, kind: str) -> None:
    assert head(text(name + kind)).keys() >= {"source", "version", "licence"}


@pytest.mark.parametrize("kind", ["", "_guidelines"])
def test_dpwg_keeps_its_licence_in_files_of_its_own(kind: str) -> None:
    licences = {name: head(text(name + kind))["licence"] for name in FILES.values()}
    assert licences.pop("dpwg").startswith("CC BY-SA 4.0")
    assert not [one for one in licences.values() if one.startswith("CC BY-SA")]


def test_one_grid_serves_the_tertiary_tricyclics() -> None:
    row = tables()["CPIC"].cells[
        "amitriptyline",
        ("CYP2C19", "CYP2D6"),
        ("Normal Metabolizer", "0.0"),
        "general",
    ]
    assert dict(row.strength) == {
        "amitriptyline": "Strong",
        "clomipramine": "Optional",
        "doxepin": "Optional",
        "imipramine": "Optional",
        "trimipramine": "Optional",
    }


def test_two_rows_for_one_cell_are_refused() -> None:
    last = CPIC.rstrip().rpartition("\n")[2]
    with pytest.raises(ValueError, match="two rows answer"):
        read_table("CPIC", GUIDELINES, f"{CPIC}{last}\n")


def test_an_action_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no such action: guess"):
        read_table("CPIC", GUIDELINES, CPIC.replace("standard_dosing", "guess", 1))


def test_a_guideline_without_a_publication_has_its_page() -> None:
    citations = {one.citation for one in tables()["DPWG"].of("lamotrigine")}
    assert citations == {"clinpgx.org/guidelineAnnotation/PA166265341"}
