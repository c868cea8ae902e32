"""What the training scripts' command lines share: numbers that make sense, one line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from backend.twin.errors import ModelRefused, ModelUntrusted


def positive(text: str) -> int:
    """A whole number from 1 on; for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def share(text: str) -> float:
    """A share from 0 to below 1; for argparse."""
    number = float(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to below 1")
    return number


@contextmanager
def refusals_told() -> Iterator[None]:
    """A refused model ends the program with one line that says why."""
    try:
        yield
    except (ModelRefused, ModelUntrusted) as refusal:
        raise SystemExit(f"refused: {refusal}") from None
