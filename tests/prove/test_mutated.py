"""A hundred thousand bent resources: nothing breaks, nothing is quoted, nothing grows.

make prove
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from tests.prove.mutations import Mutants
from tests.prove.page import write_section
from tests.prove.reading import Outcome, read_mutants, used_as
from tests.prove.real import real_resources

COUNT, SEED = 100_000, 20_261_123
MOST_GROWTH_MB = 48.0


def test_no_mutant_breaks_the_reader_or_is_quoted(shared: Path) -> None:
    resources = real_resources(shared / "data")
    mutants = Mutants(resources, SEED, tells=used_as)
    began = time.monotonic()

    def progress(done: Outcome) -> None:
        taken = time.monotonic() - began
        bad = f"{done.crashes.total()} crashes, {done.leaks.total()} leaks"
        print(f"  {done.read:>7} of {COUNT} mutants read, {bad}, {taken:.0f} s")

    print(f"\n{len(resources)} resources, seed {SEED}")
    done = read_mutants(mutants, COUNT, progress=progress)
    body = section(done, mutants.applied, len(resources), time.monotonic() - began)
    print(body)
    assert done.crashes == Counter()
    assert done.leaks == Counter()
    assert done.growth_mb < MOST_GROWTH_MB
    write_section("Mutated resources", body)


def section(
    done: Outcome, applied: Counter[str], resources: int, seconds: float
) -> str:
    rows = [
        ("resources that were bent", resources),
        ("mutations", f"{len(applied)} kinds, {applied.total()} applied"),
        ("mutants read one by one, and in records of 20", done.read),
        ("mutants beside them that are no strict JSON, refused", done.not_json.total()),
        ("unhandled errors", done.crashes.total()),
        ("canaries (names, ids, texts, numbers) in messages, reprs and logs",
         done.leaks.total()),
        (f"growth of memory (bound {MOST_GROWTH_MB:.0f} MB)",
         f"{max(done.growth_mb, 0):.0f} MB"),
        ("seconds", f"{seconds:.0f}"),
    ]  # fmt: skip
    return "\n".join(
        [
            "Real resources (../shared/data), and the few of our own tests, bent by "
            f"structure; seed {SEED}.\n",
            *_table("what", rows),
            *_table("refused as", done.refused.most_common()),
            *_table("used as", done.used.most_common()),
            *_table("no strict JSON", done.not_json.most_common()),
        ]
    )


def _table(
    title: str, rows: list[tuple[str, int]] | list[tuple[str, object]]
) -> list[str]:
    return [
        f"| {title} | count |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in rows),
        "",
    ]
