"""What current medication makes of a gene's result: phenoconversion.

A strong inhibitor leaves no activity, a moderate one half of it; a weak one and an
inducer are named and counted no further. Score x 0 and x 0.5: as in Cicali et al. 2021,
doi:10.1002/cpt.2354. Genes without a score go one class down for a moderate inhibitor,
our own reading of one half. The genetic result stays as it is: what the medicine makes
of it is kept beside it, and is never more active.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend.twin.pharmacogenomics.activity import Score, read_score
from backend.twin.pharmacogenomics.drugs import Drug, find_drugs, sort_out
from backend.twin.pharmacogenomics.gene_result import NOT_SCORED, GeneResult
from backend.twin.pharmacogenomics.inhibitors import Action, actions
from backend.twin.pharmacogenomics.rules import Rule, rules

POOR = "Poor Metabolizer"
# From most to least active; a moderate inhibitor takes one step.
_STEPS = {
    "Ultrarapid Metabolizer": "Rapid Metabolizer",
    "Rapid Metabolizer": "Normal Metabolizer",
    "Normal Metabolizer": "Intermediate Metabolizer",
    "Likely Intermediate Metabolizer": "Likely Poor Metabolizer",
    "Intermediate Metabolizer": POOR,
    "Likely Poor Metabolizer": POOR,
    POOR: POOR,
}


def adjusted(
    results: Sequence[GeneResult], current: Sequence[str], *, drug: str | None = None
) -> tuple[GeneResult, ...]:
    """The results with what the medicines of `current` (names or codes) make of them.

    `drug`: the one that advice is sought for. Its own inhibition is already in what
    its guideline says of each genotype, so it is named and not counted again.
    """
    taken, _ = sort_out(current)
    own = find_drugs(drug) if drug else ()
    return tuple(_adjusted(one, taken, own) for one in results)


def _adjusted(
    result: GeneResult, taken: Sequence[Drug], own: Sequence[Drug]
) -> GeneResult:
    rule = rules().get(result.gene)
    if not taken or rule is None or rule.by == "presence":
        return result
    others = [one for one in taken if one not in own]
    inhibitors = actions(result.gene, others, "inhibitor")
    inducers = actions(result.gene, others, "inducer")
    itself = actions(result.gene, [one for one in taken if one in own], "inhibitor")
    noted = [f"{one.words()}; named, not counted" for one in inducers]
    noted += [f"{one.words()}; counted in its own advice" for one in itself]
    made = _inhibited(result, rule, inhibitors)
    if not noted:
        return made
    return replace(made, adjusted_because=(*made.adjusted_because, *noted))


def _inhibited(
    result: GeneResult, rule: Rule, inhibitors: Sequence[Action]
) -> GeneResult:
    """By the strongest alone: no source says what two moderate ones make together."""
    if not inhibitors:
        return result
    strength = inhibitors[0].counts.strength
    if strength == "weak":
        why = ("a weak inhibitor is not counted",)
        made = replace(result, adjusted_because=why)
    else:
        made = {"strong": _none_left, "moderate": _half_left}[strength](result, rule)
    words = tuple(one.words() for one in inhibitors)
    return replace(made, adjusted_because=(*words, *made.adjusted_because))


def _none_left(result: GeneResult, rule: Rule) -> GeneResult:
    """Zero, whatever the genotype: it holds without one, too."""
    key = "0.0" if rule.by == "score" else POOR
    return replace(
        result,
        adjusted_phenotype=POOR,
        adjusted_activity_score="0.0" if rule.by == "score" else NOT_SCORED,
        adjusted_lookup_key=key,
        adjusted_because=("no activity is left",),
    )


def _half_left(result: GeneResult, rule: Rule) -> GeneResult:
    halved = _half_score(result, rule) if rule.by == "score" else _step(result)
    if halved is None:
        why = "half of an activity that is not known: it may be low"
        return replace(result, adjusted_because=(why,))
    return halved


def _half_score(result: GeneResult, rule: Rule) -> GeneResult | None:
    """Half of the score, looked up by the table's next lower key that is not zero."""
    scores = [one for key in result.lookup_keys if (one := read_score(key))]
    if not scores:
        return None
    lowest = Score(min(one.value for one in scores) / 2)
    own = read_score(result.activity_score)
    key = _key_below(lowest.value, rule)
    return replace(
        result,
        adjusted_phenotype=rule.phenotype(key),
        adjusted_activity_score=(
            str(Score(own.value / 2, own.is_open)) if own else NOT_SCORED
        ),
        adjusted_lookup_key=key,
        adjusted_because=(f"half of the activity score is left, looked up as {key}",),
    )


def _key_below(value: float, rule: Rule) -> str:
    """The highest closed score up to `value`; of a value above 0 never 0."""
    closed = {
        one.value: key
        for key in rule.keys
        if (one := read_score(key)) and not one.is_open
    }
    if value == 0:
        return closed[0]
    above_zero = [one for one in closed if one > 0]
    return closed[
        max((one for one in above_zero if one <= value), default=min(above_zero))
    ]


def _step(result: GeneResult) -> GeneResult | None:
    """One class down, for genes whose alleles have no activity values."""
    lower = _STEPS.get(result.phenotype)
    if lower is None:
        return None
    return replace(
        result,
        adjusted_phenotype=lower,
        adjusted_activity_score=NOT_SCORED,
        adjusted_lookup_key=lower,
        adjusted_because=("one class less active",),
    )
