"""The correlation network's card and golden case, and its way into a repository."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from backend.twin.correlation.model_inputs import (
    ANSWER,
    COLUMNS,
    LAGS,
    MODEL,
    OUTPUT,
    schema_hash,
)
from export_scripts.card_inputs import CODES, histogram
from export_scripts.card_words import not_available, source_attributes
from export_scripts.cards import commit, versions_of
from export_scripts.correlation_data import PEOPLE, Rows, joined
from export_scripts.latency import serving
from export_scripts.onnx_export import MAX_BATCH, Files, Places, published

INTENDED_USE = (
    "For each pair of a body signal and a symptom of one person: how probable a direct "
    "lagged link is, at which lag, and how large. It ranks and locates what a test "
    "with a bounded rate of false findings lets through. An association, not a cause."
)
OUT_OF_SCOPE = (
    "Diagnosis; claims of cause; deciding on treatment; publishing a link on its word "
    "alone; fewer than 14 reports; more than 12 body signals at once."
)
_ANY, _R, _SHARE = (-40.0, 40.0), (-1.0, 1.0), (0.0, 1.0)
_ABSENT = "0, where a pair or a biometric is not there (known = 0)"
# What the others are: plain logarithms.
_RANGES = {
    **dict.fromkeys(("z", "z_given_others"), ("standard errors", _ANY)),
    **dict.fromkeys(
        ("whitened_r", "raw_r", "autocorrelation"), ("a correlation", (-1.0001, 1.0001))
    ),
    **dict.fromkeys(
        ("coverage", "nugget", "freedom_share"), ("a share", (0.0, 1.0001))
    ),
    **dict.fromkeys(("lag_posterior", "p_link"), ("a probability", (0.0, 1.0001))),
    "precision": ("1 / standard error of the coefficient", (0.0, 100.0)),
    **dict.fromkeys(("daily", "known"), ("1 yes, 0 no", _SHARE)),
    "prior_log_odds": ("log odds of a link before the data", (-7.0, 7.0)),
}
_LOG = ("natural logarithm", (-7.0, 10.0))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a trained net: figures, how it was trained, and parity."""

    metrics: Mapping[str, Any]
    training: Mapping[str, Any]
    parity: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """The card's parts on what a net takes, and on the data it learnt from."""

    inputs: Mapping[str, Any]
    schema: str  # the hash of everything both sides must share
    histograms: Mapping[str, Any]
    digest: Mapping[str, str]


def publish(
    graph: onnx.ModelProto,
    cases: Mapping[str, np.ndarray],
    expected: np.ndarray,
    *,
    evidence: Evidence,
    learnt: Sequence[Rows],
    where: Places,
) -> Path:
    """Write, sign and try the next version; returns its folder.

    `learnt`: shards as trained on, of 5,000 people at least. Raises what
    `lifecycle.publish` raises.
    """
    told = card(evidence, statistics(learnt), serving(graph, cases))
    return published(Files(graph, told, cases, expected, OUTPUT), where)


def card(evidence: Evidence, seen: Seen, served: Mapping[str, Any]) -> dict[str, Any]:
    """The whole card of a version that has no number yet."""
    return {
        "model": MODEL,
        "version": 0,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "licence": "Apache-2.0",
        "intended_use": INTENDED_USE,
        "out_of_scope": OUT_OF_SCOPE,
        "codes": CODES,
        "inputs": dict(seen.inputs),
        "feature_schema_hash": seen.schema,
        "output": {
            "name": OUTPUT,
            "unit": "probabilities; standard deviations of the symptom per standard "
            "deviation of the biometric",
            "rows": "one per biometric, absent ones zero",
            "columns": list(ANSWER),
        },
        "libraries": versions_of(("torch", "onnx", "onnxruntime", "numpy")),
        "git_commit": commit(),
        "precision": "float32",
        "metrics": dict(evidence.metrics),
        "parity": {"batches": [1, MAX_BATCH], **evidence.parity},
        "serving": dict(served),
        "training": {
            "origin": "simulated",
            "real_people": 0,
            "source": "backend/twin/simulation/wearables",
            "licence": "Apache-2.0",
            **evidence.training,
            "data_sha256": dict(seen.digest),
        },
        "histograms": dict(seen.histograms),
        "approver": not_available("named when promoted; see the access log"),
        "source_attributes": _attributes(evidence.metrics),
    }


def statistics(learnt: Sequence[Rows]) -> Seen:
    """Of the compact net, from shards as trained on."""
    return Seen(
        inputs={name: _described(name) for name in COLUMNS},
        schema=schema_hash(),
        histograms=_histograms(joined(learnt), len(learnt) * PEOPLE),
        digest=_digest(learnt),
    )


def _described(name: str) -> dict[str, Any]:
    return {"dtype": "float32", "features": [_feature(c) for c in COLUMNS[name]]}


def _feature(column: str) -> dict[str, Any]:
    unit, limits = _RANGES.get(column, _LOG)
    return {
        "name": column,
        "unit": unit,
        "code": f"mindtwin:{column}",
        "range": list(limits),
        "missing": _ABSENT,
    }


def _histograms(rows: Rows, people: int) -> dict[str, Any]:
    """Of what was measured: places of absent biometrics are left out."""
    there = rows.scored > 0
    arrays = {
        "profiles": rows.profiles[there].reshape(-1, rows.profiles.shape[-1])[
            :: len(LAGS) - 1
        ],
        "pairs": rows.pairs[there],
        "symptoms": rows.symptoms,
    }
    return {
        "people": people,
        "data": "simulated people, drawn as in training; every 96th of the lags",
        "arrays": {
            name: {
                column: histogram(values, _RANGES.get(column, _LOG)[1])
                for column, values in zip(COLUMNS[name], array.T, strict=True)
            }
            for name, array in arrays.items()
        },
    }


def _digest(learnt: Sequence[Rows]) -> dict[str, str]:
    digest = hashlib.sha256()
    for rows in learnt:
        for one in fields(rows):
            digest.update(np.ascontiguousarray(getattr(rows, one.name)).tobytes())
    return {
        "value": digest.hexdigest(),
        "how": f"of the float16 bytes of the first {len(learnt)} shards, as "
        "export_scripts/correlation_data.py makes them from numpy's "
        "default_rng([seed, number]). Another processor may round the last bit "
        "differently.",
    }


def _attributes(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The 31: a forecast's where they are about the project, ours about the model."""
    found, engine = metrics["model"], metrics["engine"]
    ours = {
        "output": "For each pair of a body signal and a symptom: p(link), a "
        "probability for each lag, a coefficient with its 90 % interval.",
        "output_kind": "Association within one person's record.",
        "intended_use": INTENDED_USE,
        "intended_patients": "People with a wearable and 14 symptom reports or more.",
        "cautioned_uses": OUT_OF_SCOPE,
        "risks_and_limitations": "Trained on simulated people only; power on real data "
        "is not known. An association may be read as a cause; it is none.",
        "training_criteria": "Simulated patients of 21 to 120 days.",
        "training_relevance": "A family wider than the published benchmark's; "
        "docs/methods/correlation-simulator.md says how wide.",
        "bias_management": "Everything is relative to the person's own course.",
        "external_data": "None: real records have no known links.",
        "external_process": "A placebo of other people's symptoms; docs/benchmarks.md.",
        "validity_internal": f"On {metrics['pairs']} simulated pairs held out: AUC "
        f"{found['auc']:.3f} (engine without it {engine['auc']:.3f}), calibration "
        f"error {found['ece']:.3f} ({engine['ece']:.3f}); 90 % intervals hold "
        f"{100 * found['ci90']:.1f} % of coefficients, {100 * found['lag90']:.1f} % of "
        "lags.",
        "validity_external": "Not known: nobody knows the links of real people.",
        "validity_monitoring": "p(link) of later windows against earlier ones is not "
        "followed yet.",
    }
    return {
        **source_attributes(AS_FORECAST),
        **{name: {"value": text} for name, text in ours.items()},
    }


AS_FORECAST = {  # figures that stand only where our own words replace them
    "crps_gain_percent": {"mean": 0.0, "low": 0.0, "high": 0.0},
    "model": {"coverage_80": 0.0, "coverage_95": 0.0},
    "people": 0,
}
