"""No unsafe answer in the grid of phenotypes, medicines, HLA status, co-medication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from backend.twin.pharmacogenomics.recommendation import Recommendation
from backend.twin.pharmacogenomics.report import Report
from tests.twin.pharmacogenomics.grid import (
    FEW,
    NONE,
    PROMISES,
    Cell,
    cells,
    check,
    promises,
)

ALTERNATIVE, RESTRICTED, FREE, SHOWN, UNTYPED, LOST = PROMISES
PAROXETINE = Cell("paroxetine", (("CYP2D6", "0.0"),), ())
NORMAL = Cell("paroxetine", (("CYP2D6", "2.0"),), ())
INHIBITED = Cell("risperidone", (("CYP2D6", "2.0"),), ("bupropion",))
FAST = Cell("paroxetine", (("CYP2D6", "3.0"),), ())
HLA = Cell("carbamazepine", (("HLA-A", "-"), ("HLA-B", NONE)), ())


@pytest.mark.parametrize("beside", [FEW[:2], FEW[2:4], FEW[4:6], FEW[6:]])
def test_no_cell_breaks_a_promise(beside: Sequence[tuple[str, ...] | None]) -> None:
    found = check(cells(beside))
    assert {name: some[:3] for name, some in found.broken.items()} == {}
    assert {*found.checked, LOST} == set(PROMISES)
    assert (LOST in found.checked) == (beside in (FEW[2:4], FEW[4:6]))
    assert found.cells > 5_000


def other(made: Report, **fields: Any) -> tuple[Report, Recommendation]:
    """The report, with a word that the engine did not say."""
    return made, replace(made.recommendations[0], **fields)


def blind(made: Report, **keys: str) -> tuple[Report, Recommendation]:
    """The report, as if its sources had been asked by other keys."""
    lines = tuple(
        replace(one, genes={gene: keys.get(gene[:3], key) for gene, key in
                            one.genes.items()})
        for one in made.advice
    )  # fmt: skip
    return other(replace(made, advice=lines))


@pytest.mark.parametrize(
    ("cell", "fields", "broken"),
    [
        (FAST, {"action": "standard_dosing"}, {ALTERNATIVE, RESTRICTED}),
        (FAST, {"action": "reduced_dosing"}, {ALTERNATIVE}),
        (PAROXETINE, {"action": "standard_dosing"}, {RESTRICTED}),
        (PAROXETINE, {"action": "increased_dosing"}, {RESTRICTED}),
        (PAROXETINE, {"action": "no_recommendation"}, {RESTRICTED}),
        (NORMAL, {"action": "reduced_dosing"}, {FREE}),
        (NORMAL, {"action": "careful_monitoring"}, {FREE}),
        (HLA, {"missing": ()}, {SHOWN}),
        (HLA, {"action": "standard_dosing"}, {UNTYPED, RESTRICTED}),
        (NORMAL, {}, set()),
    ],
)
def test_each_promise_can_be_broken(
    cell: Cell, fields: dict[str, Any], broken: set[str]
) -> None:
    made, word = other(cell.report(), **fields)
    assert {name for name, kept in promises(cell, made, word) if not kept} == broken


@pytest.mark.parametrize(
    ("cell", "keys", "broken"),
    [
        (INHIBITED, {"CYP": "2.0"}, LOST),
        (HLA, {"HLA": "*15:02 negative"}, SHOWN),
    ],
)
def test_a_wrong_key_is_seen(cell: Cell, keys: dict[str, str], broken: str) -> None:
    made, word = blind(cell.report(), **keys)
    assert broken in {name for name, kept in promises(cell, made, word) if not kept}
