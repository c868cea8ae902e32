"""What a laboratory says of one gene, as delivered, before any table reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.twin.errors import CallRefused
from backend.twin.genes import GeneCall


@dataclass(frozen=True, slots=True)
class Call:
    """One statement on one gene; None is "not said", never "normal".

    `gene`: HGNC symbol (CYP2D6, HLA-B). `diplotype`: both alleles as written
    ("*1/*4", "CYP2D6*1x2/*36+*10"). `phenotype`: the laboratory's own, in words.
    `activity_score`: the laboratory's own, no unit ("1.25", "≥3.0"). `alleles`: the
    alleles one by one where the laboratory lists them. Several calls of one gene are
    possibilities of one ambiguous result. `source`: where it came from, for people.
    """

    gene: str
    diplotype: str | None = None
    phenotype: str | None = None
    activity_score: str | None = None
    alleles: tuple[str, ...] | None = None
    source: str = ""


Genotype = tuple[Call, ...]

_FIELDS = ("diplotype", "phenotype", "activity_score")


def from_record(call: GeneCall) -> Call:
    """A result out of a patient's record; "" and None are "not said" in both."""
    score = None if call.activity is None else str(call.activity)
    return Call(
        gene=call.gene,
        diplotype="|".join(call.ambiguous) or call.diplotype or None,
        phenotype=call.phenotype or None,
        activity_score=score,
        source=call.source,
    )


def from_json(fields: Mapping[str, object]) -> Call:
    """A call out of a JSON object; a number stands for a score, "" for "not said".

    Raises CallRefused where a field is no text, or the gene is not said.
    """
    said = {name: (_text(fields.get(name)) or "").strip() or None for name in _FIELDS}
    gene, listed = _text(fields.get("gene")), fields.get("alleles")
    if not gene:
        raise CallRefused("no-gene", "the call does not name its gene")
    if not isinstance(listed, list | tuple | None):
        raise CallRefused("malformed", "alleles are not a list")
    alleles = None if listed is None else tuple(_text(one) or "" for one in listed)
    source = _text(fields.get("source")) or ""
    return Call(gene=gene, alleles=alleles, source=source, **said)


def _text(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise CallRefused("malformed", "a field of the call is no text")
