"""The grid of `make test` with every inhibitor and inducer, and every HLA status.

make prove
"""

from __future__ import annotations

import time
from itertools import product

from backend.twin.pharmacogenomics.inhibitors import statements
from tests.prove.page import write_section
from tests.twin.pharmacogenomics.grid import (
    FEW,
    PROMISES,
    Found,
    cells,
    check,
    states,
)

# One HLA status each: not typed, absent, present. What else is there is in `make test`.
STATUSES = [states(gene)[:3] for gene in ("HLA-A", "HLA-B")]


def test_no_cell_breaks_a_promise() -> None:
    began = time.monotonic()
    alone = [(name,) for name in sorted({one.drug for one in statements()})]
    parts = {"co-medication: every inhibitor and inducer": check(cells(alone))}
    print(f"\n{len(alone)} medicines beside, {time.monotonic() - began:.0f} s")
    for hla_a, hla_b in product(*STATUSES):
        found = check(cells(FEW[1:4], always={"HLA-A": hla_a, "HLA-B": hla_b}))
        name = f"HLA-A {hla_a}, HLA-B {hla_b}"
        parts[name] = found
        print(f"{name}: {found.cells} cells, {time.monotonic() - began:.0f} s")
    body = section(parts, time.monotonic() - began)
    print(body)
    assert all(one.broken == {} for one in parts.values())
    write_section("Every phenotype, medicine, HLA status and co-medication", body)


def section(parts: dict[str, Found], seconds: float) -> str:
    """Cells and answers by part, then how often each promise was held."""
    checked = {name: sum(p.checked[name] for p in parts.values()) for name in PROMISES}
    broken = {
        name: sum(len(p.broken.get(name, ())) for p in parts.values())
        for name in PROMISES
    }
    answers = sorted({action for one in parts.values() for action in one.actions})
    rows = [
        f"| {name} | {one.cells} | "
        f"{' | '.join(str(one.actions[action]) for action in answers)} |"
        for name, one in parts.items()
    ]
    return "\n".join(
        [
            "Every medicine of the catalogue by every phenotype, score and HLA status "
            "of the genes that a source goes by, with what is taken beside it; with "
            "all other facts known, and with none. What the sources say is looked up "
            "apart from the engine. HLA status \"-\": typed, and not there; by HLA "
            "status with nothing, a strong and a moderate inhibitor of CYP2D6 beside "
            "it. A part's HLA status is that of medicines whose sources do not go by "
            "it, and must change nothing: its rows are to be equal. A medicine that "
            "goes by HLA takes every status of its own in each part. "
            f"{seconds:.0f} seconds.\n",
            f"| part | cells | {' | '.join(answers)} |",
            f"|---|---|{'---|' * len(answers)}",
            *rows,
            "",
            "| promise | cells that it is about | broken |",
            "|---|---|---|",
            *(f"| {name} | {checked[name]} | {broken[name]} |" for name in PROMISES),
        ]
    )  # fmt: skip
