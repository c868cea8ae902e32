"""How large the effects in simulated treatments are.

Sources and limits: docs/methods/treatment-simulator.md. Every row names its
source by a key of that page's list; "own" is a setting without one.
Odds ratios throughout, but for the shares of people in `RISKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SSRI = "sertraline escitalopram citalopram fluoxetine paroxetine fluvoxamine"
TERTIARY = "amitriptyline clomipramine imipramine doxepin trimipramine"
TRICYCLIC = f"{TERTIARY} nortriptyline desipramine"
ADDED = "quetiapine aripiprazole risperidone brexpiprazole"
STABILISER = "lamotrigine lithium valproate"
CLASSES = {
    "ssri": SSRI.split(),
    "snri": ["venlafaxine", "duloxetine"],
    "tricyclic": TRICYCLIC.split(),
    "antipsychotic": ADDED.split(),
    "stabiliser": STABILISER.split(),
    "other": ["bupropion", "mirtazapine", "vortioxetine"],
}
ANTIDEPRESSANTS = f"{SSRI} {TRICYCLIC} venlafaxine duloxetine bupropion mirtazapine"

# Chance of a response without any drug effect, of somebody without comorbid conditions:
# so that a first trial is answered by as many as in STAR*D, 48.6 % ("rush2006").
PLACEBO = 0.42
# Published odds ratios come from one factor looked at by itself, and factors overlap:
# effects of patients on the response are raised to this power ("own").
SHRUNK = 0.8
# Odds of a response against placebo, alone for antidepressants, else beside one.
RESPONSE: Mapping[str, tuple[float, str]] = {
    "sertraline": (1.67, "cipriani2018"),
    "escitalopram": (1.68, "cipriani2018"),
    "citalopram": (1.52, "cipriani2018"),
    "fluoxetine": (1.52, "cipriani2018"),
    "paroxetine": (1.75, "cipriani2018"),
    "fluvoxamine": (1.69, "cipriani2018"),
    "venlafaxine": (1.78, "cipriani2018"),
    "duloxetine": (1.85, "cipriani2018"),
    "bupropion": (1.58, "cipriani2018"),
    "mirtazapine": (1.89, "cipriani2018"),
    "vortioxetine": (1.66, "cipriani2018"),
    "amitriptyline": (2.13, "cipriani2018"),
    "clomipramine": (1.49, "cipriani2018"),
    # between the two tricyclics that were measured
    **dict.fromkeys(
        ("imipramine", "nortriptyline", "desipramine", "doxepin", "trimipramine"),
        (1.6, "own"),
    ),
    **dict.fromkeys(
        ("quetiapine", "aripiprazole", "risperidone"), (1.69, "nelson2009")
    ),
    "brexpiprazole": (1.5, "own"),
    "lamotrigine": (1.27, "own"),
    "lithium": (2.0, "own"),
    "valproate": (1.4, "own"),
}


class Factor(NamedTuple):
    """Odds of a response, times this for each unit of the fact."""

    fact: str
    odds: float
    source: str


# Of a number the unit is the width by which the inputs are scaled.
FACTORS = (
    Factor("female", 1.1, "trivedi2006"),  # from half below to half above the middle
    Factor("severity", 0.85, "trivedi2006"),
    Factor("episode", 0.80, "trivedi2006"),
    Factor("age", 0.94, "tedeschini2011"),
    Factor("anxiety", 0.64, "fava2008"),
    Factor("ptsd", 0.75, "trivedi2006"),
    Factor("substance_use", 0.80, "trivedi2006"),
    Factor("borderline", 0.55, "newton2006"),
)
FAILED = (1.0, 0.55, 0.36, 0.33)  # 0 to 3 or more trials that failed: "rush2006"


class Moderator(NamedTuple):
    """Odds of a response to some medicines, where a fact holds."""

    fact: str
    drugs: str
    odds: float
    source: str


MODERATORS = (
    Moderator("anxiety", "bupropion", 0.78, "papakostas2008"),
    Moderator("bipolar", ANTIDEPRESSANTS, 0.70, "sachs2007"),
    Moderator("bipolar", f"quetiapine {STABILISER}", 1.4, "own"),
    Moderator("insomnia", "mirtazapine doxepin amitriptyline quetiapine", 1.2, "own"),
)
SAME_DRUG_FAILED, SAME_DRUG_HELPED = 0.5, 2.0  # "own"
SAME_CLASS_FAILED = 0.80  # "papakostas2008b"


class GeneEffect(NamedTuple):
    """Odds by a phenotype after phenoconversion: of a response, of side effects.

    The latter are those that go with exposure, which all but the rash do.
    """

    gene: str
    level: str
    drugs: str
    response: float
    side_effects: float
    source: str


GENE_EFFECTS = (
    GeneEffect("CYP2C19", "poor", "escitalopram citalopram", 1.0, 1.8, "jukic2018"),
    GeneEffect("CYP2C19", "intermediate", "escitalopram citalopram", 1.0, 1.2, "own"),
    GeneEffect("CYP2C19", "rapid", "escitalopram citalopram", 0.8, 1.0, "jukic2018"),
    GeneEffect(
        "CYP2C19", "ultrarapid", "escitalopram citalopram", 0.6, 0.9, "jukic2018"
    ),
    GeneEffect("CYP2C19", "poor", "sertraline", 1.0, 1.4, "milosavljevic2021"),
    GeneEffect("CYP2C19", "ultrarapid", "sertraline", 0.85, 1.0, "own"),
    GeneEffect("CYP2B6", "poor", "sertraline", 1.0, 1.2, "own"),
    GeneEffect("CYP2C19", "poor", TERTIARY, 1.0, 1.4, "own"),
    GeneEffect("CYP2C19", "rapid", TERTIARY, 0.9, 1.0, "own"),
    GeneEffect("CYP2C19", "ultrarapid", TERTIARY, 0.8, 1.0, "own"),
    GeneEffect("CYP2D6", "poor", TRICYCLIC, 1.0, 3.0, "steimer2005"),
    GeneEffect("CYP2D6", "intermediate", TRICYCLIC, 1.0, 1.7, "steimer2005"),
    GeneEffect("CYP2D6", "ultrarapid", TRICYCLIC, 0.6, 0.8, "own"),
    GeneEffect(
        *("CYP2D6", "poor", "paroxetine fluvoxamine vortioxetine"),
        *(1.0, 1.4, "milosavljevic2021"),
    ),
    GeneEffect("CYP2D6", "ultrarapid", "paroxetine", 0.6, 0.9, "own"),
    GeneEffect("CYP2D6", "poor", "venlafaxine", 0.5, 1.0, "lobello2010"),
    GeneEffect("CYP2D6", "poor", "risperidone", 0.8, 1.9, "jukic2019"),
    GeneEffect("CYP2D6", "ultrarapid", "risperidone", 0.55, 0.9, "jukic2019"),
    GeneEffect(
        *("CYP2D6", "poor", "aripiprazole brexpiprazole"),
        *(1.0, 1.5, "milosavljevic2021"),
    ),
    GeneEffect("CYP3A4", "poor", "quetiapine", 1.0, 2.0, "own"),
)
RASH_WITH_1502 = 2.0  # odds of any rash under lamotrigine: "own"

# Shares with a side effect in the first weeks: nausea, sexual dysfunction, weight gain
# of 7 %, sedation, insomnia, movement disorder, dry mouth, rash, stopping because of
# side effects. Orders of magnitude: labels ("labels"); sexual dysfunction as asked for,
# not as volunteered ("montejo2001"), weight ("petimar2024"), rounded.
RISKS: Mapping[str, tuple[float, ...]] = {
    "sertraline": (0.26, 0.60, 0.05, 0.11, 0.20, 0.03, 0.14, 0.02, 0.09),
    "escitalopram": (0.15, 0.55, 0.06, 0.09, 0.10, 0.02, 0.08, 0.02, 0.07),
    "citalopram": (0.21, 0.65, 0.05, 0.17, 0.15, 0.02, 0.19, 0.02, 0.08),
    "fluoxetine": (0.22, 0.55, 0.04, 0.12, 0.19, 0.03, 0.09, 0.04, 0.08),
    "paroxetine": (0.25, 0.68, 0.09, 0.22, 0.14, 0.03, 0.18, 0.02, 0.11),
    "fluvoxamine": (0.38, 0.55, 0.04, 0.24, 0.21, 0.03, 0.14, 0.02, 0.14),
    "venlafaxine": (0.31, 0.62, 0.03, 0.16, 0.18, 0.02, 0.16, 0.02, 0.12),
    "duloxetine": (0.24, 0.42, 0.04, 0.10, 0.11, 0.02, 0.14, 0.02, 0.12),
    "bupropion": (0.13, 0.10, 0.02, 0.03, 0.16, 0.02, 0.20, 0.04, 0.09),
    "mirtazapine": (0.05, 0.24, 0.12, 0.48, 0.03, 0.02, 0.24, 0.02, 0.11),
    "vortioxetine": (0.26, 0.30, 0.02, 0.04, 0.04, 0.02, 0.07, 0.02, 0.06),
    "amitriptyline": (0.08, 0.35, 0.14, 0.42, 0.04, 0.04, 0.50, 0.02, 0.16),
    "clomipramine": (0.28, 0.60, 0.12, 0.40, 0.15, 0.06, 0.60, 0.04, 0.19),
    "imipramine": (0.12, 0.40, 0.10, 0.25, 0.10, 0.05, 0.50, 0.03, 0.16),
    "nortriptyline": (0.07, 0.25, 0.06, 0.18, 0.08, 0.03, 0.38, 0.02, 0.12),
    "desipramine": (0.08, 0.25, 0.05, 0.10, 0.14, 0.04, 0.35, 0.03, 0.13),
    "doxepin": (0.07, 0.30, 0.12, 0.45, 0.03, 0.04, 0.45, 0.02, 0.14),
    "trimipramine": (0.07, 0.30, 0.13, 0.45, 0.03, 0.04, 0.45, 0.02, 0.14),
    "quetiapine": (0.07, 0.20, 0.12, 0.50, 0.03, 0.05, 0.38, 0.02, 0.14),
    "aripiprazole": (0.10, 0.12, 0.06, 0.07, 0.10, 0.22, 0.05, 0.02, 0.07),
    "risperidone": (0.07, 0.35, 0.17, 0.16, 0.08, 0.23, 0.05, 0.02, 0.10),
    "brexpiprazole": (0.05, 0.12, 0.09, 0.06, 0.05, 0.10, 0.04, 0.02, 0.05),
    "lamotrigine": (0.12, 0.06, 0.03, 0.09, 0.08, 0.03, 0.05, 0.09, 0.09),
    "lithium": (0.20, 0.20, 0.17, 0.12, 0.05, 0.22, 0.18, 0.03, 0.12),
    "valproate": (0.22, 0.15, 0.15, 0.20, 0.05, 0.14, 0.06, 0.04, 0.11),
}


class Tolerance(NamedTuple):
    """Odds of side effects, times this for each unit of the fact."""

    fact: str
    side_effects: str
    odds: float
    source: str


TOLERANCE = (
    Tolerance("female", "nausea", 1.5, "own"),
    Tolerance("female", "sexual_dysfunction", 0.8, "montejo2001"),
    Tolerance("female", "weight_gain", 1.2, "own"),
    Tolerance("female", "rash", 1.4, "own"),
    Tolerance("age", "sedation dry_mouth movement_disorder", 1.2, "own"),
    Tolerance("age", "nausea weight_gain", 0.85, "own"),
    Tolerance("anxiety", "nausea insomnia stopping", 1.35, "own"),
    Tolerance("insomnia", "insomnia", 1.5, "own"),
    Tolerance("failures", "stopping", 1.15, "own"),
)
