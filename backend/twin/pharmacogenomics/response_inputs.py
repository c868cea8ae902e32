"""What the response model takes and answers, column by column; one row per option.

A row is a person and one medicine. Training and serving build their rows here, from the
same facts: NaN is a fact that nobody knows, and a column of its own says so to the
model, so an unknown is never read as a zero.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from types import MappingProxyType

import numpy as np

from backend.twin.pharmacogenomics.drugs import sort_out
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted

MODEL = "treatment_response"
TRANSFORMATION = 1  # counts changes of what a column means under the same name

# The medicines that the model knows, by their names in the catalogue of drugs. Another
# one has no answer.
OPTIONS = (
    *("sertraline", "escitalopram", "citalopram", "fluoxetine", "paroxetine"),
    *("fluvoxamine", "venlafaxine", "duloxetine", "bupropion", "mirtazapine"),
    *("vortioxetine", "amitriptyline", "clomipramine", "imipramine", "nortriptyline"),
    *("desipramine", "doxepin", "trimipramine", "quetiapine", "aripiprazole"),
    *("risperidone", "brexpiprazole", "lamotrigine", "lithium", "valproate"),
)
SIDE_EFFECTS = (
    *("nausea", "sexual_dysfunction", "weight_gain", "sedation", "insomnia"),
    *("movement_disorder", "dry_mouth", "rash", "stopping"),
)
# Conditions by the concepts of the table of conditions that each one stands for.
CONDITIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "anxiety": ("anxiety", "gad"),
        "ptsd": ("ptsd",),
        "substance_use": ("alcohol-use", "opioid-use", "other-substance-use"),
        "borderline": ("borderline",),
        "bipolar": ("bipolar",),
        "insomnia": ("insomnia",),
    }
)
_FIVE = ("poor", "intermediate", "normal", "rapid", "ultrarapid")
LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "CYP2D6": ("poor", "intermediate", "normal", "ultrarapid"),
        "CYP2C19": _FIVE,
        "CYP2B6": _FIVE,
        "CYP2C9": _FIVE[:3],
        "CYP3A4": _FIVE[:3],
        "CYP3A5": _FIVE[:3],
    }
)
ALLELES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"hla_b_1502": ("HLA-B", "*15:02"), "hla_a_3101": ("HLA-A", "*31:01")}
)
# Plain numbers: unit, and the middle and width by which they are brought near -1 .. 1.
NUMBERS: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {
        "age": ("years", 45.0, 15.0),
        "female": ("1 female, 0 male", 0.5, 0.5),
        "severity": ("share of a depression scale's range", 0.6, 0.15),
        "episode": ("natural logarithm of 1 + months", 2.2, 1.1),
        "failures": ("trials without response in this episode", 1.0, 1.0),
    }
)
FACTS = (*NUMBERS, *CONDITIONS, *LEVELS, *ALLELES, *OPTIONS)  # of the last, the trial
_TRIALS = tuple(f"{kind}_{drug}" for drug in OPTIONS for kind in ("failed", "helped"))
PATIENT = (
    *(f"{name}{part}" for name in (*NUMBERS, *CONDITIONS) for part in ("", "_known")),
    *(f"{gene.lower()}_{one}" for gene, levels in LEVELS.items() for one in levels),
    *(f"{gene.lower()}_known" for gene in LEVELS),
    *(f"{name}{part}" for name in ALLELES for part in ("", "_known")),
    *(*_TRIALS, "trials_known"),
)
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"patient": PATIENT, "drug": OPTIONS}
)
# The answer `responses` [row, column], all shares of one: the probability that symptoms
# at least halve; where that lies among reference patients on the medicine; how probable
# it is that the figure is within `NEAR` of the one with everything known; and the
# probability of each side effect.
OUTPUT = "responses"
ANSWER = ("efficacy", "percentile", "confidence", *SIDE_EFFECTS)
NEAR = 0.1

_NONE: Mapping[str, bool] = MappingProxyType({})
_TERMS = {
    "Poor Metabolizer": "poor",
    "Likely Poor Metabolizer": "poor",
    "Intermediate Metabolizer": "intermediate",
    "Likely Intermediate Metabolizer": "intermediate",
    "Possible Intermediate Metabolizer": "intermediate",
    "Normal Metabolizer": "normal",
    "Rapid Metabolizer": "rapid",
    "Ultrarapid Metabolizer": "ultrarapid",
}


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody when a treatment is chosen; None is unknown.

    `severity`: share of a depression scale's range (a PHQ-9 sum of 18 is 18 / 27).
    `episode_months`: how long the present episode lasts. `failures`: adequate trials
    without response in it. `conditions`: by the keys of `CONDITIONS`, present or not;
    one that is not named is unknown. `trials`: earlier medicines, True where one
    helped; None where earlier treatment is not known at all. `genes`: results as the
    genotype gives them; what `current`, the medicines taken now (names or codes), makes
    of them is worked out here.
    """

    age_years: float | None = None
    female: bool | None = None
    severity: float | None = None
    episode_months: float | None = None
    failures: int | None = None
    conditions: Mapping[str, bool] = field(default_factory=lambda: _NONE)
    trials: Mapping[str, bool] | None = None
    genes: Sequence[GeneResult] = ()
    current: Sequence[str] = ()


def inputs_of(person: Person, options: Sequence[str]) -> dict[str, np.ndarray]:
    """The model's float32 arrays of one person, one row for each medicine.

    Raises ValueError for a medicine that the model does not know.
    """
    return inputs_of_many([(person, options)])


def inputs_of_many(
    asked: Iterable[tuple[Person, Sequence[str]]],
) -> dict[str, np.ndarray]:
    """The rows of several people one after the other, each with their own options.

    Raises ValueError for a medicine that the model does not know.
    """
    facts: list[dict[str, float]] = []
    rows: list[int] = []
    places: list[int] = []
    for person, options in asked:
        # A medicine's own inhibition is in its own outcomes already, not in others'.
        taken = {drug.name for drug in sort_out(person.current)[0]} & {*options}
        own = {one: len(facts) + i for i, one in enumerate(sorted(taken), start=1)}
        for drug in (None, *own):
            genes = adjusted(person.genes, person.current, drug=drug)
            facts.append(_facts(person, genes))
        alike = len(facts) - len(own) - 1
        rows += [own.get(one, alike) for one in options]
        places += [_place(one) for one in options]
    columns = {name: np.array([one[name] for one in facts]) for name in FACTS}
    return {
        "patient": patient_array(columns)[np.array(rows, int)],
        "drug": drug_array(np.array(places, int)),
    }


def _place(option: str) -> int:
    if option not in OPTIONS:
        raise ValueError(f"the model does not know {option}")
    return OPTIONS.index(option)


def known_conditions(found: Mapping[str, bool]) -> dict[str, bool]:
    """`Person.conditions` from what a record says of the concepts, by their names."""
    said = {
        name: [found[one] for one in concepts if one in found]
        for name, concepts in CONDITIONS.items()
    }
    # One that is there suffices; that none is there takes a word on each of them.
    return {
        name: any(values)
        for name, values in said.items()
        if any(values) or len(values) == len(CONDITIONS[name])
    }


def patient_array(facts: Mapping[str, np.ndarray]) -> np.ndarray:
    """[person, column] float32 of facts by `FACTS`, each [person], NaN = unknown.

    Of a gene the fact is the place of its level in `LEVELS`; of a condition or an
    allele 1 or 0; of a medicine 1 helped, -1 failed, 0 not tried, and NaN for all
    together where earlier treatment is unknown.
    """
    columns: dict[str, np.ndarray] = {}
    for name in (*NUMBERS, *CONDITIONS, *ALLELES):
        _, middle, width = NUMBERS.get(name, ("", 0.0, 1.0))
        columns[name] = _or_zero((facts[name] - middle) / width)
        columns[f"{name}_known"] = ~np.isnan(facts[name])
    for gene, levels in LEVELS.items():
        columns[f"{gene.lower()}_known"] = ~np.isnan(facts[gene])
        for place, level in enumerate(levels):
            columns[f"{gene.lower()}_{level}"] = facts[gene] == place
    for drug in OPTIONS:
        columns[f"failed_{drug}"] = facts[drug] < 0
        columns[f"helped_{drug}"] = facts[drug] > 0
    columns["trials_known"] = ~np.isnan(facts[OPTIONS[0]])
    whole = np.stack([columns[name] for name in PATIENT], axis=1)
    return np.asarray(whole, dtype=np.float32)


def drug_array(options: np.ndarray) -> np.ndarray:
    """[row, medicine] float32, 1 at the medicine whose place in `OPTIONS` is given."""
    whole: np.ndarray = np.eye(len(OPTIONS), dtype=np.float32)[options]
    return whole


def schema_hash() -> str:
    """SHA-256 of everything that two sides must share to understand each other."""
    whole = [
        *(TRANSFORMATION, dict(COLUMNS), OUTPUT, ANSWER, NEAR),
        *(dict(NUMBERS), dict(CONDITIONS), dict(LEVELS), dict(ALLELES)),
    ]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _facts(person: Person, genes: Sequence[GeneResult]) -> dict[str, float]:
    months, trials = person.episode_months, person.trials
    told = {
        "age": person.age_years,
        "female": person.female,
        "severity": person.severity,
        "episode": None if months is None else float(np.log1p(months)),
        "failures": person.failures,
        **{name: person.conditions.get(name) for name in CONDITIONS},
        **{gene: _level(gene, genes) for gene in LEVELS},
        **{name: _carried(*ALLELES[name], genes) for name in ALLELES},
        **{one: None if trials is None else _outcome(trials, one) for one in OPTIONS},
    }
    return {n: nan if value is None else float(value) for n, value in told.items()}


def _level(gene: str, results: Iterable[GeneResult]) -> int | None:
    """The one level that all possible results give; None where they differ."""
    found = {
        _TERMS.get(one.adjusted_phenotype or one.phenotype)
        for one in results
        if one.gene == gene
    }
    level = found.pop() if len(found) == 1 else None
    return LEVELS[gene].index(level) if level in LEVELS[gene] else None


def _carried(gene: str, allele: str, results: Iterable[GeneResult]) -> bool | None:
    """Whether an HLA allele is there; None where any possible result does not say."""
    said = {
        next((s for s in one.statuses if s.startswith(f"{allele} ")), None)
        for one in results
        if one.gene == gene
    }
    status = said.pop() if len(said) == 1 else None
    return None if status is None else status.endswith("positive")


def _outcome(trials: Mapping[str, bool], drug: str) -> int:
    return 0 if drug not in trials else 1 if trials[drug] else -1


def _or_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), 0.0, values)
