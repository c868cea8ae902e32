"""Of which medicines the EHR is told, under which identifiers, and as what.

Of those on which somebody may have to act: a source advises something else than usual,
or an order of today is in conflict with a rule. What rests on no genetic result of the
EHR is not written there: an implication has to name one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from backend.people import crypto
from backend.people.models import Patient
from backend.predictions.response_model import Estimated
from backend.predictions.treatment_answer import Told
from backend.predictions.treatment_basis import Basis
from backend.twin.pharmacogenomics.advice import Advice
from backend.twin.pharmacogenomics.drugs import Drug, drugs
from backend.twin.pharmacogenomics.gene_result import GeneResult
from backend.twin.pharmacogenomics.phenoconversion import adjusted
from backend.twin.pharmacogenomics.phenotype import gene_results
from backend.twin.pharmacogenomics.report import Report
from backend.twin.pharmacogenomics.safety import Stop
from backend.twin.pharmacogenomics.safety_facts import GeneIs
from backend.twin.pharmacogenomics.safety_table import rules_about

NAMESPACE = uuid5(NAMESPACE_URL, "https://mindtwin.example/pharmacogenomics")
_NOTHING_TO_DO = frozenset({"standard_dosing", "no_recommendation"})
_ORDERS = ("MedicationRequest/", "MedicationStatement/")


def to_tell(
    patient: Patient, basis: Basis, made: Report, *, heard: Estimated
) -> tuple[tuple[Told, ...], tuple[str, ...]]:
    """What is delivered, in the order asked for; and conflicts that cannot be."""
    told: list[Told] = []
    kept: list[str] = []
    for word in made.recommendations:
        drug = drugs().get(word.medication)
        if drug is None or not _is_to_tell(drug.name, basis, made):
            continue
        sources = _sources(drug, basis, made)
        if sources:
            told.append(_told(patient, drug, basis, made, heard=heard))
        elif _order(drug.name, basis) is not None:
            kept.append(drug.name)
    return tuple(told), tuple(kept)


def _lines(made: Report, medication: str) -> tuple[Advice, ...]:
    return tuple(one for one in made.advice if one.medication == medication)


def _stops(made: Report, medication: str) -> tuple[Stop, ...]:
    return tuple(one for one in made.stops if one.drug == medication)


def _is_to_tell(medication: str, basis: Basis, made: Report) -> bool:
    if any(one.action not in _NOTHING_TO_DO for one in _lines(made, medication)):
        return True
    against = [
        one
        for one in _stops(made, medication)
        if one.severity == "stop" or (one.severity == "caution" and not one.needs)
    ]
    return bool(against) and _order(medication, basis) is not None


def _order(medication: str, basis: Basis) -> str | None:
    """The EHR's reference of the order in force; one without an id is none."""
    found = basis.found.orders.get(medication, "")
    return found if found.startswith(_ORDERS) and found.partition("/")[2] else None


def genes_of(drug: Drug, made: Report) -> frozenset[str]:
    """The genes that a source or a safety rule asks for."""
    by_sources = {gene for one in _lines(made, drug.name) for gene in one.genes}
    by_rules = {
        asked.gene
        for rule in rules_about(drug)
        for asked in rule.when
        if isinstance(asked, GeneIs)
    }
    return frozenset(by_sources | by_rules)


def _sources(drug: Drug, basis: Basis, made: Report) -> tuple[str, ...]:
    """The EHR's references of the results behind it, in an order of their own."""
    wanted = genes_of(drug, made)
    found = {
        one.source
        for one in basis.record.genotypes
        if one.gene in wanted and one.source.startswith("Observation/")
    }
    return tuple(sorted(found))


def _results(drug: Drug, basis: Basis, made: Report) -> tuple[GeneResult, ...]:
    """Of its genes; of a medicine that is taken without its own inhibition."""
    wanted, current = genes_of(drug, made), basis.case.current or ()
    genes: Sequence[GeneResult] = made.genes
    if drug.name in current:
        genes = adjusted(gene_results(basis.case.calls), current, drug=drug.name)
    return tuple(one for one in genes if one.gene in wanted)


def _told(
    patient: Patient, drug: Drug, basis: Basis, made: Report, *, heard: Estimated
) -> Told:
    results = _results(drug, basis, made)
    order, sources = _order(drug.name, basis), _sources(drug, basis, made)
    content = {
        "advice": _lines(made, drug.name),
        "stops": _stops(made, drug.name),
        "results": results,
        "references": [_unversioned(one) for one in (*sources, order or "")],
        "response": list(_of_response(drug.name, made, heard)),
    }
    return Told(
        identifier=_identifier(patient, drug.name, content),
        medication=drug.name,
        rxnorm=drug.rxnorm_ingredient,
        current_order=order,
        sources=sources,
        results=results,
    )


def _of_response(medication: str, made: Report, heard: Estimated) -> Iterator[str]:
    """By which versions and of what an estimate that is reported was made.

    Not the estimate: two servers may differ in its last digits.
    """
    for word in made.recommendations:
        if word.medication == medication and word.response is not None:
            yield heard.inputs[medication]
            yield from (use.sha256 for use in heard.models)


def _identifier(patient: Patient, medication: str, content: object) -> UUID:
    """What the EHR knows this by: equal for equal words, results, order and models.

    The digest goes in keyed, as with a forecast.
    """
    plain = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(plain).hexdigest()
    where = (patient.site_id, patient.pk, medication, crypto.keyed(digest))
    return uuid5(NAMESPACE, "\n".join(map(str, where)))


def _unversioned(reference: str) -> str:
    return reference.partition("/_history/")[0]
