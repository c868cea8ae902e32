"""Numbers that make no sense are refused before anything is trained."""

from __future__ import annotations

import argparse

import pytest

from backend.twin.errors import ModelRefused
from export_scripts.command_line import positive, refusals_told, share


@pytest.mark.parametrize("text", ["0", "-1"])
def test_a_count_starts_at_one(text: str) -> None:
    assert positive("7") == 7
    with pytest.raises(argparse.ArgumentTypeError):
        positive(text)


@pytest.mark.parametrize("text", ["-0.1", "1", "1.5", "nan"])
def test_a_share_lies_between_nothing_and_all(text: str) -> None:
    assert share("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError):
        share(text)


def test_a_refusal_is_one_line() -> None:
    with pytest.raises(SystemExit, match=r"^refused: too large$"), refusals_told():
        raise ModelRefused("too large")
