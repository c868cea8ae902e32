"""Simulated patients as aligned raw streams: what the specified architecture sees.

Local clock throughout, means of three hours, each series in units of its own spread:
what was not measured is marked as not there, never filled in.
"""

from __future__ import annotations

import numpy as np

from backend.twin.correlation.model_inputs import BIOMETRICS
from backend.twin.simulation.wearables.batch import (
    WearableBatch,
    draw_shape,
    simulate_wearables,
)
from backend.twin.simulation.wearables.family import Family
from export_scripts.correlation_data import FAMILIES, true_links, wide

BIN = 3  # hours: streams are aligned to their means
STEPS_OF_TIME = 93 * 24 // BIN  # 90 days and 72 hours before; shorter ones stand last
Arrays = dict[str, np.ndarray]


def aligned(batch: WearableBatch, time: int) -> Arrays:
    """Float32 inputs, one row per patient and symptom, patient by patient."""
    people, symptoms, _ = batch.answers.shape
    hours = batch.values.shape[2]
    shown = _standard(_binned(batch.values, time))
    at = np.where(np.isfinite(batch.times), np.rint(batch.times), 0).astype(int)
    at = at.clip(0, hours - 1)
    felt = np.full((people, symptoms, hours), np.nan, np.float32)
    who, which, report = np.nonzero(np.isfinite(batch.answers))
    felt[who, which, at[who, report]] = batch.answers[who, which, report]
    reports = _standard(_binned(felt, time)).reshape(-1, 2, time)
    streams = np.zeros((people, BIOMETRICS, 2, time), np.float32)
    streams[:, : shown.shape[1]] = shown
    flat = streams.reshape(people, 2 * BIOMETRICS, time)
    return {"streams": np.repeat(flat, symptoms, axis=0), "reports": reports}


def truth_of(batch: WearableBatch) -> Arrays:
    """The truth of the rows of `aligned`, as `correlation_data.Rows` has it."""
    found = [true_links(batch.truth, i) for i in range(len(batch.answers))]
    return {
        name: wide(np.concatenate([one[name] for one in found]), BIOMETRICS)
        for name in found[0]
    }


def drawn_shape(rng: np.random.Generator) -> tuple[Family, tuple[int, int, int]]:
    """A family of those that the compact net learns from; days, biometrics, symptoms"""
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    return family, draw_shape(rng, family)


def people_for(count: int, shape: tuple[int, int, int]) -> int:
    """Patients of this shape who have `count` symptoms together."""
    return -(-count // shape[2])


def drawn(rng: np.random.Generator, count: int, time: int) -> tuple[Arrays, Arrays]:
    """Inputs and truth of so many symptoms of new patients of one shape."""
    family, shape = drawn_shape(rng)
    batch = simulate_wearables(
        rng, family, people=people_for(count, shape), shape=shape
    )
    inputs, truth = aligned(batch, time), truth_of(batch)
    return (
        {name: rows[:count] for name, rows in inputs.items()},
        {name: rows[:count] for name, rows in truth.items()},
    )


def _binned(values: np.ndarray, time: int) -> np.ndarray:
    """Means of `BIN` hours, the last ones last: [.., hour] -> [.., time], NaN: none."""
    values = values[..., -time * BIN :]
    room = time * BIN - values.shape[-1]
    values = np.pad(
        values, [(0, 0)] * (values.ndim - 1) + [(room, 0)], constant_values=np.nan
    )
    bins = values.reshape(*values.shape[:-1], time, BIN)
    count = np.isfinite(bins).sum(-1)
    return np.where(count, np.nansum(bins, axis=-1) / np.maximum(count, 1), np.nan)


def _standard(values: np.ndarray) -> np.ndarray:
    """[.., time] -> [.., 2, time]: z over time, 0 where none is; whether one is."""
    there = np.isfinite(values)
    count = np.maximum(there.sum(-1, keepdims=True), 1)
    centred = np.where(there, values, 0)
    centred = np.where(there, centred - centred.sum(-1, keepdims=True) / count, 0)
    sd = np.sqrt((centred**2).sum(-1, keepdims=True) / count)
    z = centred / np.where(sd > 0, sd, 1)
    return np.stack([z, there], axis=-2).astype(np.float32)
