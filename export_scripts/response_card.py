"""The response net's card and golden case, and its way into a repository."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from backend.inference.response_card import LABEL
from backend.twin.pharmacogenomics.response_inputs import (
    ANSWER,
    COLUMNS,
    MODEL,
    NEAR,
    NUMBERS,
    OUTPUT,
    SIDE_EFFECTS,
    schema_hash,
)
from export_scripts.card_inputs import histogram
from export_scripts.card_words import not_available, source_attributes
from export_scripts.cards import commit, versions_of
from export_scripts.correlation_card import AS_FORECAST, Evidence
from export_scripts.latency import serving
from export_scripts.onnx_export import MAX_BATCH, Files, Places, published
from export_scripts.response_data import Rows, drawn

SAMPLED = 5000  # people of the histograms
CODES = {
    "mindtwin": "names of columns in backend/twin/pharmacogenomics/response_inputs.py; "
    "derived numbers, which LOINC and SNOMED CT have no code for"
}
REAL_WORLD = {
    "auc_low": 0.60,
    "auc_high": 0.67,
    "source": "Studies of real people with adequate methods: Sajjadian et al. 2021, "
    "doi:10.1017/S0033291721003871 (accuracy .63); Taliaz et al. 2021, "
    "doi:10.1038/s41398-021-01488-3 (balanced accuracy .60 to .61); Hieronymus et al. "
    "2024 (AUC .64 to .67); chance out of sample in Chekroud et al. 2024, "
    "doi:10.1126/science.adg8538",
}
INTENDED_USE = (
    f"{LABEL.capitalize()}. For a person with depression and a medicine: how probable "
    "it is that symptoms at least halve in about eight weeks, and how probable each of "
    "nine side effects is, by what is published of averages. It informs a comparison "
    "of medicines after guideline advice and hard stops; it never overrules them."
)
OUT_OF_SCOPE = (
    "Choosing a medicine on its word; diagnosis; children; pregnancy; doses; medicines "
    "that it does not know; outcomes other than depression; any claim that it was "
    "shown to predict what happens to real people."
)
OUTPUT_SAID = {
    "name": OUTPUT,
    "unit": "probabilities; the percentile as a share of reference people; "
    f"confidence: the probability that the efficacy is within {NEAR} of the true "
    "probability of the simulation, not of what will happen",
    "rows": "one per person and medicine",
    "columns": list(ANSWER),
}
_FLAG = ("1 yes, 0 no", (0.0, 1.0))


def publish(
    graph: onnx.ModelProto,
    cases: Mapping[str, np.ndarray],
    expected: np.ndarray,
    *,
    evidence: Evidence,
    where: Places,
) -> Path:
    """Write, sign and try the next version; returns its folder.

    Raises what `lifecycle.publish` raises.
    """
    told = card(evidence, serving(graph, cases))
    return published(Files(graph, told, cases, expected, OUTPUT), where)


def card(evidence: Evidence, served: Mapping[str, Any]) -> dict[str, Any]:
    """The whole card of a version that has no number yet."""
    seed = evidence.training["seed"]
    seen = drawn(np.random.default_rng([seed, 0]), SAMPLED)
    metrics = {"label": LABEL, "real_world": REAL_WORLD, **evidence.metrics}
    return {
        "model": MODEL,
        "version": 0,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "licence": "Apache-2.0",
        "intended_use": INTENDED_USE,
        "out_of_scope": OUT_OF_SCOPE,
        "codes": CODES,
        "inputs": {name: _described(name) for name in COLUMNS},
        "feature_schema_hash": schema_hash(),
        "output": OUTPUT_SAID,
        "libraries": versions_of(("torch", "onnx", "onnxruntime", "numpy")),
        "git_commit": commit(),
        "precision": "float32",
        "metrics": metrics,
        "parity": {"batches": [1, MAX_BATCH], **evidence.parity},
        "serving": dict(served),
        "training": {
            "origin": "simulated",
            "real_people": 0,
            "source": "backend/twin/simulation/treatments.py",
            "licence": "Apache-2.0",
            **evidence.training,
            "data_sha256": _digest(seen),
        },
        "histograms": _histograms(seen),
        "approver": not_available("named when promoted; see the access log"),
        "source_attributes": _attributes(metrics),
    }


def _histograms(seen: Rows) -> dict[str, Any]:
    return {
        "people": SAMPLED,
        "data": "simulated people, drawn as in training",
        "arrays": {
            name: {
                column: histogram(values, _range(column)[1])
                for column, values in zip(columns, seen.inputs[name].T, strict=True)
            }
            for name, columns in COLUMNS.items()
        },
    }


def _described(name: str) -> dict[str, Any]:
    return {"dtype": "float32", "features": [_feature(c) for c in COLUMNS[name]]}


def _feature(column: str) -> dict[str, Any]:
    unit, limits = _range(column)
    return {
        "name": column,
        "unit": unit,
        "code": f"mindtwin:{column}",
        "range": list(limits),
        "missing": _missing(column),
    }


def _missing(column: str) -> str:
    """What stands where nobody knows; another column says that it is so."""
    if column.endswith("_known") or column in COLUMNS["drug"]:
        return "never"
    kind = column.split("_", maxsplit=1)[0]
    known = {"failed": "trials", "helped": "trials"}.get(kind)
    known = known or (kind if kind.startswith("cyp") else column)
    return f"0, and {known}_known = 0"


def _range(column: str) -> tuple[str, tuple[float, float]]:
    if column not in NUMBERS:
        return _FLAG
    unit, middle, width = NUMBERS[column]
    return f"({unit} - {middle:g}) / {width:g}", (-4.0, 6.0)


def _digest(seen: Rows) -> dict[str, str]:
    whole = (*seen.inputs.values(), seen.outcome)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in whole))
    return {
        "value": digest.hexdigest(),
        "how": f"of the float32 bytes of {SAMPLED} records and their outcomes, drawn "
        "by the simulator from numpy's default_rng([seed, 0]); training draws its "
        "records the same way and keeps no file. Another processor may round the last "
        "bit differently.",
    }


def _attributes(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The 31: a forecast's where they are about the project, ours about the model."""
    found, plain, best = (metrics[one] for one in ("model", "drug_only", "oracle"))
    worst = max(one["ece"] for one in found["side_effects"].values())
    ours = {
        "output": "For a person and a medicine: the probability of a response, its "
        f"percentile, a confidence, and the risk of {len(SIDE_EFFECTS)} side effects.",
        "output_kind": "Prediction of an outcome of treatment.",
        "intended_use": INTENDED_USE,
        "intended_patients": "Adults with depression for whom a medicine is chosen.",
        "cautioned_uses": OUT_OF_SCOPE,
        "risks_and_limitations": "Outcomes were simulated from published averages, so "
        "it knows nothing that these do not say, and nobody has shown that it predicts "
        "what happens to real people. A probability may be read as a promise.",
        "training_criteria": "Simulated adults, 18 to 90 years old.",
        "personal_inputs": "Age and sex, where known. None of race, ethnicity, "
        "language, sexual orientation, gender identity or social circumstances. "
        "Conditions, earlier treatment and genes are assessments of health status.",
        "training_relevance": "Effects and shares are as published, by "
        "docs/methods/treatment-simulator.md; frequencies of genes are those of people "
        "of European descent.",
        "bias_management": "An unknown fact is masked and lowers the confidence.",
        "external_data": "None: no public data set has these facts and outcomes.",
        "external_process": "None.",
        "validity_internal": f"On {metrics['people']} fresh simulated records: AUC of "
        f"the response {found['auc']:.3f} (medicine alone {plain['auc']:.3f}, the "
        f"simulator's own probabilities {best['auc']:.3f}), calibration error "
        f"{found['ece']:.3f}, of side effects {worst:.3f} at most.",
        "validity_external": "Not known. Studies of real people reached an AUC of "
        f"{REAL_WORLD['auc_low']:.2f} to {REAL_WORLD['auc_high']:.2f}.",
        "validity_monitoring": "Not followed yet: outcomes of treatments are not "
        "scored.",
    }
    return {
        **source_attributes(AS_FORECAST),
        **{name: {"value": text} for name, text in ours.items()},
    }
