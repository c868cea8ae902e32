"""All tables that advice on medicines is looked up in, checked one by one.

A room that has tables lists them as `CheckedTable`s and adds its list to `TABLES`.
"""

from __future__ import annotations

from collections.abc import Callable

from backend.twin.pharmacogenomics import advice_check, gene_tables, medicine_check
from backend.twin.pharmacogenomics.checked_table import (
    CheckedTable,
    TableReport,
    checked,
    text_of,
)

TABLES: tuple[CheckedTable, ...] = (
    *gene_tables.TABLES,
    *advice_check.TABLES,
    *medicine_check.TABLES,
)


def check_tables(before: Callable[[str], str | None]) -> tuple[TableReport, ...]:
    """A report per table; `before` gives the text that a table is compared with."""
    return tuple(checked(one, text_of(one.name), before(one.name)) for one in TABLES)
