"""Every LOINC code that any table or reader holds has its check digit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backend.twin
import fhir_integration
from fhir_integration.codes import check_digit_fits

ROOTS = [Path(str(room.__file__)).parent for room in (backend.twin, fhir_integration)]
FILES = sorted(
    path
    for root in ROOTS
    for path in root.rglob("*")
    if path.suffix in {".py", ".toml", ".csv"}
)
# A LOINC number as a whole text or column; answers (LA...) are numbered apart.
NUMBER = re.compile(r"""(?:^|["',])(\d{1,7}-\d)(?=["',]|$)""", re.MULTILINE)


def numbers(path: Path) -> list[str]:
    return NUMBER.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_loinc_number_has_its_check_digit(path: Path) -> None:
    assert [code for code in numbers(path) if not check_digit_fits(code)] == []


def test_the_search_for_numbers_finds_them() -> None:
    found = {code for path in FILES for code in numbers(path)}
    assert {"44261-6", "101698-9", "44260-8", "69736-7"} <= found


@pytest.mark.parametrize(
    "code",
    [
        *("91006-2", "96899-5"),  # seen in public code as totals of PCL-5 and ISI
        *("44261-7", "44621-6", "96762-1"),
        *("44261", "44261-", "-6", "LA6568-5", "44261-66", "44261-6 ", "٤٤٢٦١-6x"),
    ],
)
def test_an_invented_number_is_found_out(code: str) -> None:
    assert not check_digit_fits(code)


@pytest.mark.parametrize(
    "code", ["44261-6", "44249-1", "8867-4", "80404-7", "93293-9", "101698-9"]
)
def test_a_real_number_passes(code: str) -> None:
    assert check_digit_fits(code)


@given(st.integers(0, 9_999_999), st.integers(0, 9))
def test_one_digit_of_ten_fits(number: int, digit: int) -> None:
    fitting = [last for last in range(10) if check_digit_fits(f"{number}-{last}")]
    assert len(fitting) == 1
    assert check_digit_fits(f"{number}-{digit}") is (digit == fitting[0])
