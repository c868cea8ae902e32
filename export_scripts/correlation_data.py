"""Simulated patients as the correlation network sees them, made once and kept.

    python -m export_scripts.correlation_data --shards 1000

Whitening costs ten times what simulating does, so statistics are kept in shards, each
drawn from (seed, number): a killed run goes on with the next one that is missing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from backend.twin.correlation.lag_profile import PAIR_CONTEXT, profile
from backend.twin.correlation.model_inputs import (
    BIOMETRICS,
    LAGS,
    model_inputs,
    schema_hash,
)
from backend.twin.simulation.wearables.batch import (
    Truth,
    WearableBatch,
    draw_shape,
    simulate_wearables,
)
from backend.twin.simulation.wearables.family import PLAIN, WIDE, Family
from backend.twin.simulation.wearables.windows import window_of
from export_scripts.command_line import positive

FOLDER = Path("var/training/correlation")
PEOPLE = 32  # of a shard
KNOWN = PAIR_CONTEXT.index("known")
TRUTH = ("linked", "lag", "weight", "scored")
WIDTHS = (4, 8, BIOMETRICS)  # biometrics of batches
FAMILIES = (
    PLAIN,
    WIDE,
    # plain series, links as rare as real ones may be, any number of series
    replace(PLAIN, link_prior=(0.05, 0.5), biometrics=(1, 8), symptoms=(1, 6)),
    # the same shapes of windows that a clinic asks for, nothing between
    replace(PLAIN, days=(30, 30)),
    WIDE,
    replace(PLAIN, days=(90, 90)),
)


@dataclass(frozen=True, eq=False)
class Rows:
    """Symptoms with their truth: first axis symptom, second biometric, all float16.

    Inputs as in `model_inputs`, but only as many biometrics as the widest has.
    `linked` 1 or 0; `lag` index into `LAGS`, -1: none; `weight` NaN: none or in the
    other direction; `scored` 0: no pair, or linked at a lag beyond the profile.
    """

    profiles: np.ndarray
    pairs: np.ndarray
    symptoms: np.ndarray
    linked: np.ndarray
    lag: np.ndarray
    weight: np.ndarray
    scored: np.ndarray

    def __len__(self) -> int:
        return len(self.linked)

    def take(self, which: np.ndarray) -> Rows:
        """Some of the rows, in that order."""
        return Rows(*(getattr(self, one.name)[which] for one in fields(self)))

    @property
    def width(self) -> int:
        """Biometrics that there is room for."""
        return int(self.linked.shape[1])

    def inputs(self, width: int = BIOMETRICS) -> dict[str, np.ndarray]:
        """The network's float32 inputs, with room for so many biometrics."""
        found = {n: wide(getattr(self, n), width) for n in ("profiles", "pairs")}
        found["symptoms"] = self.symptoms
        return {name: array.astype(np.float32) for name, array in found.items()}

    def truth(self, width: int = BIOMETRICS) -> dict[str, np.ndarray]:
        """`linked`, `lag`, `weight`, `scored`: float32, zeros where there is none."""
        found = {n: wide(getattr(self, n), width) for n in TRUTH}
        return {name: array.astype(np.float32) for name, array in found.items()}


def wide(array: np.ndarray, width: int) -> np.ndarray:
    """With zeros for the biometrics that are not there."""
    room = [(0, 0), (0, width - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, room)


def drawn(
    rng: np.random.Generator,
    family: Family,
    *,
    people: int,
    shape: tuple[int, int, int] | None = None,
) -> Rows:
    """New patients of one family, and of one shape where it is given."""
    shape = shape or draw_shape(rng, family)
    batch = simulate_wearables(rng, family, people=people, shape=shape)
    found = [
        _rows(_inputs(batch, i, prior), batch.truth, i)
        for i, prior in enumerate(batch.truth.prior.astype(float).tolist())
    ]
    return joined(found)


def _inputs(batch: WearableBatch, patient: int, prior: float) -> dict[str, np.ndarray]:
    return model_inputs(profile(window_of(batch, patient)), prior_link=prior)


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows in one, as wide as the widest."""
    width = max(one.width for one in parts)

    def column(name: str) -> np.ndarray:
        arrays = [getattr(one, name) for one in parts]
        if name == "symptoms":
            return np.concatenate(arrays)
        return np.concatenate([wide(array, width) for array in arrays])

    return Rows(*(column(one.name) for one in fields(Rows)))


def true_links(truth: Truth, patient: int) -> dict[str, np.ndarray]:
    """A patient's truth as in `Rows`: float32 [symptom, biometric].

    What is linked at a lag beyond the profile is not scored.
    """
    weight, lag, back, behind = (
        getattr(truth, name)[patient].T
        for name in ("weight", "lag", "reverse_weight", "reverse_lag")
    )
    forward, reverse = np.isfinite(weight), np.isfinite(back)
    at = np.rint(np.where(forward, lag, behind)) - LAGS[0]
    inside = (forward | reverse) & (at >= 0)
    found = {
        "linked": forward | reverse,
        "lag": np.where(inside, at, -1),
        "weight": weight,
        "scored": inside | ~(forward | reverse),
    }
    return {name: array.astype(np.float32) for name, array in found.items()}


def _rows(inputs: dict[str, np.ndarray], truth: Truth, patient: int) -> Rows:
    """A patient's symptoms; those that cannot be examined are left out."""
    true = true_links(truth, patient)
    width = true["linked"].shape[1]
    pairs = inputs["pairs"][:, :width]
    true["scored"] *= pairs[..., KNOWN] > 0
    some = {"profiles": inputs["profiles"][:, :width], "pairs": pairs}
    whole = {**some, "symptoms": inputs["symptoms"], **true}
    half = Rows(**{name: array.astype(np.float16) for name, array in whole.items()})
    return half.take(np.flatnonzero((pairs[..., KNOWN] > 0).any(1)))


def make_shards(folder: Path, *, seed: int, shards: int, people: int = PEOPLE) -> None:
    """Fill `folder` with shards 0 .. `shards` - 1 where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    for number in range(shards):
        path = _path(folder, seed, number)
        if path.exists():
            continue
        rng = np.random.default_rng([seed, number])
        rows = drawn(rng, FAMILIES[number % len(FAMILIES)], people=people)
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            np.savez(file, **{o.name: getattr(rows, o.name) for o in fields(rows)})
        fresh.replace(path)
        if number % 20 == 19:
            print(f"shard {number + 1}/{shards}  {time.monotonic() - began:.0f} s")


def shards_in(folder: Path, *, seed: int) -> list[Path]:
    """The shards of this seed that are there and of this schema, in order."""
    return sorted(folder.glob(_path(folder, seed, 0).name.replace("00000", "?????")))


def load(path: Path) -> Rows:
    """One shard."""
    with np.load(path) as file:
        return Rows(*(file[one.name] for one in fields(Rows)))


def by_width(rows: Sequence[Rows]) -> list[Rows]:
    """The same in few parts, so that few places of a batch stand empty."""
    parts: list[list[Rows]] = [[] for _ in WIDTHS]
    for one in rows:
        parts[int(np.searchsorted(WIDTHS, one.width))].append(one)
    return [joined(part) for part in parts if part]


def _path(folder: Path, seed: int, number: int) -> Path:
    """The schema is part of the name: other statistics are other shards."""
    return folder / f"{schema_hash()[:8]}-{seed}-{number:05d}.npz"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make shards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=positive, required=True)
    parser.add_argument("--people", type=positive, default=PEOPLE, help="of a shard")
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    make_shards(
        options.folder,
        seed=options.seed,
        shards=options.shards,
        people=options.people,
    )


if __name__ == "__main__":
    main()
