"""What a wearable measures: each measure's code, unit, plausible range and window."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, get_args

Window = Literal["instant", "interval", "day", "night"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One body signal. Values are in `unit` (UCUM); outside low..high is implausible.

    `window` says what one value covers: a moment, a stated stretch of time, the whole
    local day, or the night that ends on the local day. `source` is where the range
    comes from. `also` are UCUM codes that mean `unit` itself here, such as "/d" for the
    steps of one day. A stated period below `shortest` seconds is not what the code
    means: 41950-7 counts the steps of 24 hours.
    """

    key: str
    title: str
    unit: str
    low: float
    high: float
    window: Window
    source: str
    codes: tuple[tuple[str, str], ...]  # (system, code)
    also: tuple[str, ...] = ()
    shortest: float = 0.0


@cache
def measures() -> Mapping[str, Measure]:
    """Every measure of `tables/measures.toml` by its key, read once.

    Raises ValueError on a block that contradicts itself, naming the block.
    """
    table = files("backend.twin.tables").joinpath("measures.toml").read_bytes()
    return MappingProxyType(read_measures(table.decode()))


@cache
def by_code() -> Mapping[tuple[str, str], Measure]:
    """(system, code) -> the measure it stands for, of the whole table."""
    return MappingProxyType(
        {code: measure for measure in measures().values() for code in measure.codes}
    )


def read_measures(text: str) -> dict[str, Measure]:
    """Measures out of TOML text: one block per measure, named by its key.

    Raises ValueError on a block that contradicts itself, naming the block.
    """
    table = {key: _measure(key, block) for key, block in tomllib.loads(text).items()}
    codes = [code for measure in table.values() for code in measure.codes]
    if len(set(codes)) < len(codes):
        raise ValueError("measures.toml: two measures share one code")
    return table


def _measure(key: str, block: Mapping[str, Any]) -> Measure:
    try:
        fields = {**block, "low": float(block["low"]), "high": float(block["high"])}
        fields["also"] = tuple(block.get("also", ()))
        fields["codes"] = tuple((one["system"], one["code"]) for one in block["codes"])
        made = Measure(key=key, **fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"measures.toml [{key}]: {error}") from error
    if made.low >= made.high:
        raise ValueError(f"measures.toml [{key}]: low must be below high")
    if made.window not in get_args(Window):
        raise ValueError(f"measures.toml [{key}]: no such window")
    return made
