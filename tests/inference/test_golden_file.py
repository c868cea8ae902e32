"""Golden cases that would break, or hold up, whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from backend.inference.validation import check
from backend.twin.errors import ModelUntrusted
from tests.inference.candidates import candidate, edit_golden


def _change(name: str, how: Callable[[np.ndarray], Any]) -> Callable[[dict], None]:
    def change(case: dict[str, np.ndarray]) -> None:
        case[name] = how(case[name])

    return change


def _repeat(case: dict[str, np.ndarray]) -> None:
    for name in list(case):
        case[name] = case[name].repeat(15, 0)


def _crowd(case: dict[str, np.ndarray]) -> None:
    case.update({f"more{i}": np.zeros(1) for i in range(40)})


def _unpack_for_ever(folder: Path) -> None:
    """Many zeros in a small archive."""
    with (
        ZipFile(folder / "golden.npz", "a", ZIP_DEFLATED) as archive,
        archive.open("in_more.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(64):
            member.write(bytes(1 << 20))


def _bytes_for_an_array(folder: Path) -> None:
    with ZipFile(folder / "golden.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(folder / "golden.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, b"no array" if "anchor" in name else content)


def _break_the_archive(folder: Path) -> None:
    """Its list is whole, what it packs is not."""
    content = bytearray((folder / "golden.npz").read_bytes())
    content[100:1400] = b"\xff" * 1300
    (folder / "golden.npz").write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (edit_golden(_change("in_context", lambda a: a.astype(str))), "is <U32, not f"),
        (edit_golden(_change("out_quantiles", lambda a: a.astype(str))), "is <U32"),
        (
            edit_golden(_change("in_context", lambda a: a.astype("M8[s]"))),
            r"golden case's context is datetime64\[s\], not float32",
        ),
        (edit_golden(_change("out_quantiles", lambda a: a.astype("M8[s]"))), "M8|date"),
        (edit_golden(_change("in_context", lambda a: a.astype(complex))), "complex128"),
        (edit_golden(_change("in_context", lambda a: a[0, 0])), "has 0 axes, not 2"),
        (edit_golden(_change("out_quantiles", lambda a: a[0])), "has 2 axes, not 3"),
        (edit_golden(_change("in_context", lambda a: a.astype(object))), "no usable"),
        (edit_golden(_repeat), "a golden case has at most 1024 rows"),
        (edit_golden(_crowd), "the golden case holds more than 32 arrays"),
        (_bytes_for_an_array, "the golden case's anchor is no array, not float32"),
        (_unpack_for_ever, "the golden case unpacks to more than 52428800 bytes"),
        (_break_the_archive, "no usable golden case"),
    ],
)
def test_a_golden_case_that_cannot_be_asked_is_refused_in_words(
    tmp_path: Path, edit: Callable[[Path], object], says: str
) -> None:
    folder = candidate(tmp_path)
    edit(folder)
    with pytest.raises(ModelUntrusted, match=says):
        check(folder)


def test_1024_rows_are_asked_for(tmp_path: Path) -> None:
    def fill(case: dict[str, np.ndarray]) -> None:
        for name in list(case):
            case[name] = case[name].repeat(15, 0)[:1024]

    folder = candidate(tmp_path)
    edit_golden(fill)(folder)
    check(folder)
