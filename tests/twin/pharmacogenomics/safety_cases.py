"""What makes each row of the safety table speak, and how grave it then is.

Written from the sources, not from the table: a row that is taken out, or whose gravity
or limit is changed, makes a test fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """`drug` of a person who is well but for this; `says` must stand in the text."""

    code: str
    drug: str
    severity: str
    says: str = ""
    has: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    gene: tuple[str, str] | None = None
    population: dict[str, Any] = field(default_factory=dict)


# The last argument of these may be what the text must say.
def has(code: str, drug: str, severity: str, *concept: str) -> Case:
    return Case(code, drug, severity, "".join(concept[1:]), has=concept[:1])


def takes(code: str, drug: str, severity: str, *other: str) -> Case:
    return Case(code, drug, severity, "".join(other[1:]), takes=other[:1])


def gene(code: str, drug: str, severity: str, *is_: str) -> Case:
    name, value = is_[0].split(" ", maxsplit=1)
    return Case(code, drug, severity, "".join(is_[1:]), gene=(name, value))


def tolerated(code: str, drug: str, is_: str) -> Case:
    name, value = is_.split(" ", maxsplit=1)
    used = {"prior_use": {drug: "over_3_months"}}
    return Case(code, drug, "caution", "over 3 months", (), (), (name, value), used)


def aged(code: str, drug: str, severity: str, *years: int | str) -> Case:
    says = "".join(str(one) for one in years[1:])
    return Case(code, drug, severity, says, population={"age_years": years[0]})


POOR = "Poor Metabolizer"
CASES = (
    gene("carbamazepine-hla-b-1502", "Tegretol", "stop", "HLA-B *15:02 positive"),
    gene("carbamazepine-hla-a-3101", "Tegretol", "stop", "HLA-A *31:01 positive"),
    gene("carbamazepine-hla-b-1511", "Tegretol", "stop", "HLA-B *15:11 positive"),
    gene("oxcarbazepine-hla-b-1502", "oxcarbazepine", "stop", "HLA-B *15:02 positive"),
    gene("phenytoin-hla-b-1502", "phenytoin", "stop", "HLA-B *15:02 positive"),
    gene("phenytoin-hla-b-1502", "Cerebyx", "stop", "HLA-B *15:02 positive"),
    gene("lamotrigine-hla-b-1502", "Lamictal", "stop", "HLA-B *15:02 positive"),
    tolerated(
        "carbamazepine-hla-b-1502-tolerated", "carbamazepine", "HLA-B *15:02 positive"
    ),
    tolerated(
        "carbamazepine-hla-a-3101-tolerated", "carbamazepine", "HLA-A *31:01 positive"
    ),
    tolerated(
        "oxcarbazepine-phenytoin-hla-b-1502-tolerated",
        "phenytoin",
        "HLA-B *15:02 positive",
    ),
    has("valproate-polg", "valproic acid", "stop", "polg", "contraindicated"),
    has("valproate-polg", "Depakote", "stop", "mitochondrial"),
    aged("valproate-under-2", "valproate", "stop", 1),
    has("valproate-urea-cycle", "valproate", "stop", "urea-cycle", "contraindicated"),
    has("valproate-liver", "valproate", "stop", "liver", "first 6 months"),
    has("valproate-pancreatitis", "valproate", "stop", "pancreatitis"),
    has("valproate-pregnancy", "valproate", "stop", "pregnancy", "Neural tube"),
    has("valproate-child-bearing", "valproate", "stop", "child-bearing-potential"),
    takes("valproate-lamotrigine", "lamotrigine", "caution", "Depakote", "half"),
    takes("valproate-lamotrigine", "valproate", "caution", "Lamictal", "half"),
    has(
        "lamotrigine-severe-skin-reaction", "phenytoin", "stop", "severe-skin-reaction"
    ),
    takes("lamotrigine-oestrogen", "lamotrigine", "caution", "ethinylestradiol"),
    takes("lamotrigine-inducer", "lamotrigine", "caution", "rifampicin", "40 %"),
    has("lamotrigine-organs", "lamotrigine", "caution", "liver"),
    has("lithium-severe-kidney", "lithium", "stop", "severe-kidney", "30 mL/min"),
    has("lithium-kidney", "Lithobid", "caution", "kidney", "eGFR"),
    has("lithium-water-and-salt", "lithium", "stop", "dehydration"),
    has("lithium-water-and-salt", "lithium", "stop", "low-sodium"),
    takes("lithium-thiazide", "lithium", "caution", "HCTZ"),
    takes("lithium-other-diuretic", "lithium", "monitor", "Lasix"),
    takes("lithium-ace-inhibitor", "lithium", "caution", "lisinopril"),
    takes("lithium-arb", "lithium", "caution", "losartan"),
    takes("lithium-nsaid", "lithium", "caution", "Advil"),
    takes("lithium-nsaid", "lithium", "caution", "celecoxib"),
    takes("lithium-nsaid", "ibuprofen", "caution", "lithium carbonate"),
    takes("lithium-metronidazole", "lithium", "caution", "metronidazole"),
    takes("lithium-serotonergic", "lithium", "monitor", "Zoloft"),
    takes("lithium-serotonergic", "tramadol", "monitor", "lithium"),
    takes("lithium-neurotoxic", "lithium", "monitor", "haloperidol"),
    takes("lithium-neurotoxic", "lithium", "monitor", "verapamil"),
    takes("carbamazepine-nefazodone", "nefazodone", "stop", "carbamazepine"),
    takes("carbamazepine-nefazodone", "Tegretol", "stop", "nefazodone"),
    takes("duloxetine-cyp1a2-inhibitor", "duloxetine", "stop", "fluvoxamine"),
    takes("duloxetine-cyp1a2-inhibitor", "ciprofloxacin", "stop", "Cymbalta"),
    has("duloxetine-organs", "duloxetine", "stop", "liver"),
    has("duloxetine-organs", "duloxetine", "stop", "severe-kidney", "30 mL/min"),
    has("lithium-pregnancy", "lithium", "caution", "pregnancy"),
    aged("lithium-older", "lithium", "caution", 65),
    gene("citalopram-cyp2c19-poor", "Celexa", "caution", f"CYP2C19 {POOR}", "20 mg"),
    gene("citalopram-cyp2c19-poor", "citalopram", "caution", f"CYP2C19 Likely {POOR}"),
    takes(
        "citalopram-cyp2c19-inhibitor", "citalopram", "caution", "omeprazole", "20 mg"
    ),
    takes("citalopram-cimetidine", "citalopram", "caution", "cimetidine", "20 mg"),
    aged("citalopram-over-60", "citalopram", "caution", 61, "20 mg"),
    has("citalopram-liver", "citalopram", "caution", "liver", "20 mg"),
    has("citalopram-qt", "citalopram", "stop", "long-qt"),
    has("citalopram-qt", "citalopram", "stop", "heart-failure"),
    has("citalopram-salts", "citalopram", "stop", "low-potassium"),
    takes("citalopram-qt-medicine", "citalopram", "stop", "sotalol"),
    aged("escitalopram-older", "escitalopram", "caution", 65, "10 mg"),
    gene("thioridazine-cyp2d6", "thioridazine", "stop", f"CYP2D6 {POOR}"),
    gene(
        "thioridazine-cyp2d6", "thioridazine", "stop", "CYP2D6 Intermediate Metabolizer"
    ),
    takes("thioridazine-cyp2d6-inhibitor", "thioridazine", "stop", "duloxetine"),
    takes("thioridazine-cyp2d6-inhibitor", "Paxil", "stop", "thioridazine"),
    takes("thioridazine-named", "thioridazine", "stop", "propranolol"),
    has("qt-antipsychotic-long-qt", "ziprasidone", "stop", "long-qt"),
    takes("qt-antipsychotic-qt-medicine", "pimozide", "stop", "amiodarone"),
    gene("pimozide-cyp2d6-poor", "pimozide", "caution", f"CYP2D6 {POOR}", "4 mg"),
    has("ziprasidone-heart", "ziprasidone", "stop", "recent-infarction"),
    takes("pimozide-cyp2d6-inhibitor", "pimozide", "stop", "paroxetine"),
    takes("pimozide-cyp3a4-inhibitor", "pimozide", "stop", "itraconazole"),
    takes("pimozide-named", "sertraline", "stop", "Orap"),
    has("pimozide-salts", "pimozide", "stop", "low-magnesium"),
    gene(
        "vortioxetine-cyp2d6-poor", "Trintellix", "caution", f"CYP2D6 {POOR}", "10 mg"
    ),
    gene("iloperidone-cyp2d6-poor", "iloperidone", "caution", f"CYP2D6 {POOR}", "half"),
    gene("aripiprazole-cyp2d6-poor", "Abilify", "caution", f"CYP2D6 {POOR}", "half"),
    takes(
        "antipsychotic-cyp3a4-inhibitor", "aripiprazole", "caution", "Biaxin", "half"
    ),
    takes("quetiapine-cyp3a4-inhibitor", "Seroquel", "caution", "Nizoral", "sixth"),
    takes("lurasidone-cyp3a4-inhibitor", "lurasidone", "stop", "ritonavir"),
    takes("lurasidone-cyp3a4-inducer", "lurasidone", "stop", "rifampin"),
    takes("quetiapine-cyp3a4-inducer", "quetiapine", "caution", "Tegretol", "five"),
    takes("quetiapine-cyp3a4-inducer", "carbamazepine", "caution", "quetiapine"),
    takes("antipsychotic-cyp3a4-inducer", "Haldol", "caution", "phenytoin"),
    takes(
        "antidepressant-cyp3a4-inducer", "nortriptyline", "caution", "St. John's wort"
    ),
    takes("clozapine-carbamazepine", "clozapine", "stop", "carbamazepine"),
    takes("clozapine-cyp3a4-inducer", "clozapine", "caution", "phenytoin", "higher"),
    takes("clozapine-cyp1a2-inhibitor", "clozapine", "caution", "Luvox", "third"),
    takes("clozapine-olanzapine-smoking", "olanzapine", "monitor", "smoking"),
    has("clozapine-neutrophils", "clozapine", "stop", "low-neutrophils"),
    has("clozapine-seizure", "clozapine", "caution", "epilepsy"),
    takes("mao-inhibitor-serotonergic", "sertraline", "stop", "Nardil", "14 days"),
    takes("mao-inhibitor-serotonergic", "phenelzine", "stop", "Effexor"),
    takes("mao-inhibitor-serotonergic", "linezolid", "stop", "amitriptyline"),
    takes("mao-inhibitor-serotonergic", "escitalopram", "stop", "methylene blue"),
    takes("mao-inhibitor-serotonergic", "tramadol", "stop", "selegiline"),
    takes("mao-inhibitor-barred", "bupropion", "stop", "tranylcypromine", "14 days"),
    takes("mao-inhibitor-barred", "atomoxetine", "stop", "rasagiline"),
    has("bupropion-seizure", "Wellbutrin XL", "stop", "epilepsy"),
    has("bupropion-eating-disorder", "bupropion", "stop", "eating-disorder"),
    has("bupropion-stopping-sedatives", "bupropion", "stop", "stopping-sedatives"),
    has("paroxetine-pregnancy", "paroxetine", "caution", "pregnancy"),
    has("carbamazepine-pregnancy", "carbamazepine", "caution", "pregnancy"),
)
