from __future__ import annotations

from importlib.resources import files

from backend.twin.pharmacogenomics.table_check import TABLES, check_tables


def test_every_table_is_there_once_and_whole() -> None:
    names = [one.name for one in TABLES]
    assert len(names) == len(set(names))
    for report in check_tables(lambda _: None):
        assert report.problems == (), report.name
        assert report.versions
        assert report.rows


def test_a_table_compared_with_itself_has_not_changed() -> None:
    folder = files("backend.twin.tables")
    reports = check_tables(lambda name: folder.joinpath(name).read_text("utf-8"))
    assert all(report.came == report.went == () for report in reports)
