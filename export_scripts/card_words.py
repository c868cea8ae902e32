"""What a card says in words: what the models are for, and what nobody knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.inference.source_attributes import SourceAttributes

Said = dict[str, str]

INTENDED_USE = (
    "One member of an ensemble that forecasts a person's daily ratings on one bounded "
    "scale for the fourteen days after the last entry, as eleven quantiles a day. For "
    "research and for clinicians who look at the person as well."
)
OUT_OF_SCOPE = (
    "Diagnosis; triage without a human; deciding on treatment; questionnaires that ask "
    "about weeks; fewer than seven entries; scales without fixed ends."
)
FURTHER = (
    "backend/twin/tables/calibration.toml: factors for the blend of all members, "
    "fitted on openly licensed diaries for the versions that the table names; where "
    "other versions answer, nothing is moved and the forecast says so"
)
_NOBODY = "no external party has tested this version"
_UNKNOWN_PEOPLE = (
    "simulated people have no race, ethnicity, language, sex, gender, age or social "
    "circumstances, so nothing can be said by them"
)
_DIARISTS = "the diaries carry neither age nor sex nor any other of these"
_NO_GROUPS = "nothing about groups of people is read from the EHR for it"
_LATER = (
    "not known when a version is published; the installation scores its own forecasts "
    "against outcomes as they arrive"
)
_DIARIES = (
    "Fourteen public data sets of symptom diaries, clinical and community samples, "
    "none trained on; the blend of all members is scored, see docs/benchmarks.md. "
    "Seven of them were in view when constants were set, so it is no blind test"
)


def not_available(why: str) -> Said:
    """Nobody knows, and why."""
    return {"not_available": why}


def source_attributes(metrics: Mapping[str, Any]) -> dict[str, Said]:
    """The 31, in order; see `backend.inference.source_attributes`."""
    known = {name: {"value": text} for name, text in _known(metrics).items()}
    unknown = {name: not_available(why) for name, why in _UNKNOWN.items()}
    both = {**known, **unknown}
    return {name: both[name] for name in SourceAttributes.model_fields}


def _known(metrics: Mapping[str, Any]) -> dict[str, str]:
    gain, found = metrics["crps_gain_percent"], metrics["model"]
    return {
        "output": "Eleven quantiles of a daily rating for each of fourteen days and of "
        "their mean, in units of the person's own spread.",
        "output_kind": "Prediction of future ratings.",
        "intended_use": INTENDED_USE,
        "intended_patients": "People who rate a symptom on a scale with fixed ends on "
        "most days, with seven answered days at least.",
        "intended_users": "Clinicians who treat the person, and researchers.",
        "decision_role": "Informs; it replaces no judgement and starts no action.",
        "cautioned_uses": OUT_OF_SCOPE,
        "risks_and_limitations": "Trained on simulated people only; how it does in "
        "crises is not measured. A forecast may be read as a promise, or as a cause; "
        "it is neither.",
        "training_criteria": "Simulated diaries with seven answered days or more.",
        "personal_inputs": "None of race, ethnicity, language, sexual orientation, "
        "gender identity, sex, date of birth or social circumstances. The ratings "
        "themselves are assessments of health status.",
        "training_relevance": "Moments of the simulated diaries were brought near "
        "those of seven openly licensed ones; docs/methods/forecast.md says how near.",
        "bias_management": "Everything is relative to the person and the scale; "
        "coverage by group of diary, not of person, stands in docs/benchmarks.md.",
        "external_data": f"{_DIARIES}.",
        "external_process": "Rolling origins, fourteen days ahead, beside plain "
        "forecasters, by `make evaluate`, run by the developers.",
        "validity_internal": f"On {metrics['people']} simulated people held out the "
        f"quantile loss is {gain['mean']:g} % [{gain['low']:g}, {gain['high']:g}] "
        f"below climatology's; 80 and 95 % intervals hold "
        f"{100 * found['coverage_80']:.1f} and {100 * found['coverage_95']:.1f} % of "
        "days.",
        "validity_external": "Of the blend of all members, not of this model alone: "
        "docs/benchmarks.md.",
        "validity_monitoring": "Forecasts are scored against the entries that arrive "
        "afterwards, for each version: coverage, error and drift of the inputs.",
        "update_process": "A new version when inputs, training or calibration change; "
        "none is replaced in place. There is no fixed schedule.",
    }


_UNKNOWN = {
    "developer": "an open project without a contact of its own; whoever installs it "
    "names one",
    "funding": "none is stated",
    "training_representativeness": _UNKNOWN_PEOPLE,
    "fairness_approach": f"none beyond relative inputs: {_UNKNOWN_PEOPLE}",
    "external_party": _NOBODY,
    "external_representativeness": _DIARISTS,
    "fairness_internal": _UNKNOWN_PEOPLE,
    "fairness_external": _DIARISTS,
    "outcome_references": "nobody has studied what the use of it does to patients",
    "validity_local": _LATER,
    "fairness_monitoring": _NO_GROUPS,
    "fairness_local": _NO_GROUPS,
    "correction_process": "no schedule; a version is rolled back or its service "
    "switched off when somebody sees a risk",
}
