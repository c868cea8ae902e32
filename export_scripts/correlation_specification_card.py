"""The specified architecture beside the compact net, and a version folder for a look.

Its inputs are not those that the twin hands over, so publishing and every promotion
refuse it; the folder can be served by hand, in process or by Triton, and measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from backend.inference.catalogue import GRAPH
from backend.twin.correlation.lag_profile import PAIR_CONTEXT, profile
from backend.twin.correlation.model_inputs import (
    BIOMETRICS,
    MODEL,
    OUTPUT,
    model_inputs,
)
from backend.twin.simulation.wearables.batch import (
    WearableBatch,
    draw_shape,
    simulate_wearables,
)
from backend.twin.simulation.wearables.windows import window_of
from export_scripts.biometric_correlation import HELD_OUT_SEED, TOLERANCE, predict
from export_scripts.card_inputs import histogram
from export_scripts.correlation_card import Evidence, Seen, card
from export_scripts.correlation_data import FAMILIES, PEOPLE
from export_scripts.correlation_net import BiometricCorrelation, Size
from export_scripts.correlation_scores import scores
from export_scripts.correlation_streams import (
    STEPS_OF_TIME,
    Arrays,
    aligned,
    drawn,
    drawn_shape,
    people_for,
    truth_of,
)
from export_scripts.latency import answers, serving
from export_scripts.onnx_export import REPOSITORY, Files
from export_scripts.real_windows import ROOT
from export_scripts.unserved_version import write_version

KNOWN = PAIR_CONTEXT.index("known")
SAMPLED, ROWS, APART = 5000, 64, 31  # people; a draw's symptoms; time steps between
RUNS = {1: 30, 16: 5}  # batch -> timed runs
_Z = ("z of a stream's means of 3 hours, over its own record", (-28.0, 28.0))
_THERE = ("1 measured, 0 not", (0.0, 1.0))
COLUMNS = {
    "streams": tuple(
        f"biometric_{n}{part}" for n in range(1, BIOMETRICS + 1) for part in ("", "_is")
    ),
    "reports": ("symptom", "symptom_is"),
}


@dataclass(frozen=True, eq=False)
class Built:
    """A proven graph, the cases it was proven on, and how far it was off."""

    graph: onnx.ModelProto
    cases: Arrays
    expected: np.ndarray
    parity: float


def figures(
    ours: Callable[[Arrays], np.ndarray], *, shards: int, time: int
) -> dict[str, Any]:
    """Scores of it, the engine and the compact net, of the very same pairs.

    The first patients of those that the compact net's own card is about.
    """
    parts = [_scored(ours, number, time) for number in range(shards)]
    truth = {n: np.concatenate([one[1][n] for one in parts]) for n in parts[0][1]}
    found = {
        name: _plain(scores(np.concatenate([one[0][name] for one in parts]), truth))
        for name in parts[0][0]
    }
    return {
        "data": "simulated people held out of training",
        "people": shards * PEOPLE,
        "seed": HELD_OUT_SEED,
        "pairs": int(found["model"].pop("pairs")),
        **found,
        "compact_version": int(_compact().parent.name),
    }


def _scored(
    ours: Callable[[Arrays], np.ndarray], number: int, time: int
) -> tuple[Arrays, Arrays]:
    """Answers by name, and the truth, of one shard's patients."""
    rng = np.random.default_rng([HELD_OUT_SEED, number])
    family = FAMILIES[number % len(FAMILIES)]
    batch = simulate_wearables(
        rng, family, people=PEOPLE, shape=draw_shape(rng, family)
    )
    statistics, truth = _statistics(batch), truth_of(batch)
    truth["scored"] = truth["scored"] * (statistics["pairs"][..., KNOWN] > 0)
    print(f"shard {number + 1}: {int(truth['scored'].sum())} pairs")
    return {
        "model": ours(aligned(batch, time)),
        "engine": predict(BiometricCorrelation(Size()), statistics),
        "compact": answers(onnx.load(_compact()), statistics),
    }, truth


def _statistics(batch: WearableBatch) -> Arrays:
    """What the compact net takes, row by row as in `aligned`."""
    found = [
        model_inputs(profile(window_of(batch, i)), prior_link=prior)
        for i, prior in enumerate(batch.truth.prior.astype(float).tolist())
    ]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _compact() -> Path:
    """The graph of the latest compact version that is shipped."""
    graphs = (ROOT / REPOSITORY / MODEL).glob(f"[0-9]*/{GRAPH}")
    return max(graphs, key=lambda path: int(path.parent.name))


def _plain(found: Mapping[str, float]) -> dict[str, Any]:
    """Rounded; what could not be measured stands as 0 and is named."""
    without = [name for name, value in found.items() if not np.isfinite(value)]
    known = {n: 0.0 if n in without else round(v, 4) for n, v in found.items()}
    return {**known, **({"not_measurable": without} if without else {})}


def write(
    made: Built,
    *,
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
    repository: Path,
    key: Path,
) -> Path:
    """The version with its card, as `write_version` writes it."""
    told = _card(made, metrics, training)
    files = Files(made.graph, told, made.cases, made.expected, OUTPUT)
    return write_version(files, MODEL, repository=repository, key=key)


def _card(
    made: Built, metrics: Mapping[str, Any], training: Mapping[str, Any]
) -> dict[str, Any]:
    """As the compact net's, but for what it takes and what it is fit for."""
    batches = [1, len(made.expected)]
    parity = {"tolerance": TOLERANCE, "max_abs": made.parity}
    evidence = Evidence(
        metrics,
        training,
        {**parity, "rows": len(made.expected), "batches": batches},
    )
    served = serving(made.graph, made.cases, runs=RUNS)
    found = card(evidence, _seen(training["seed"]), served)
    unfit = _unfit(training)
    ours, compact = metrics["model"], metrics["compact"]
    said = {
        "intended_use": unfit,
        "cautioned_uses": unfit,
        "validity_internal": f"{unfit} On {metrics['pairs']} simulated pairs: AUC "
        f"{ours['auc']:.3f}, calibration error {ours['ece']:.3f}; the compact net "
        f"{compact['auc']:.3f} and {compact['ece']:.3f}.",
    }
    words = {name: {"value": text} for name, text in said.items()}
    return {
        **found,
        "version": 1,
        "intended_use": unfit,
        "out_of_scope": "Every use on a person's record.",
        "source_attributes": {**found["source_attributes"], **words},
    }


def _unfit(training: Mapping[str, Any]) -> str:
    done, whole = training["steps"], training["steps_of_the_recipe"]
    return (
        f"Not fit for production: {done:,} of the recipe's {whole:,} training steps. "
        "It shows that the architecture as first specified builds, trains, exports "
        "and can be served."
    )


def _seen(seed: int) -> Seen:
    """Columns as the first people of the training showed them, every 31st step."""
    parts: list[Arrays] = []
    people = 0
    while people < SAMPLED:
        some = [seed, len(parts)]
        people += people_for(ROWS, drawn_shape(np.random.default_rng(some))[1])
        inputs, _ = drawn(np.random.default_rng(some), ROWS, STEPS_OF_TIME)
        parts.append({name: array[..., ::APART] for name, array in inputs.items()})
    whole = {name: np.concatenate([one[name] for one in parts]) for name in COLUMNS}
    digest = hashlib.sha256(b"".join(a.tobytes() for a in whole.values()))
    return Seen(
        inputs={name: _described(name) for name in COLUMNS},
        schema=hashlib.sha256(json.dumps(COLUMNS).encode()).hexdigest(),
        histograms={
            "people": people,
            "data": f"simulated people as in training; every {APART}th time step",
            "arrays": {
                name: {
                    column: histogram(whole[name][:, i].ravel(), _range(column)[1])
                    for i, column in enumerate(columns)
                }
                for name, columns in COLUMNS.items()
            },
        },
        digest={
            "value": digest.hexdigest(),
            "how": f"of the float32 bytes of every {APART}th time step of {ROWS} "
            f"records each, drawn by correlation_streams from default_rng([seed, n]), "
            f"n below {len(parts)}; training draws the same way, other numbers of "
            "records. Another processor may round the last bit differently.",
        },
    )


def _described(name: str) -> dict[str, Any]:
    return {"dtype": "float32", "features": [_feature(c) for c in COLUMNS[name]]}


def _feature(column: str) -> dict[str, Any]:
    unit, limits = _range(column)
    return {
        "name": column,
        "unit": unit,
        "code": f"mindtwin:{column}",
        "range": list(limits),
        "missing": "0, and 0 in the column that says whether it was measured",
    }


def _range(column: str) -> tuple[str, tuple[float, float]]:
    return _THERE if column.endswith("_is") else _Z
