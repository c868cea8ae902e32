"""Calls of genes out of PharmCAT's files: its phenotype and report JSON, and the TSV of
outside calls that goes into it.

What PharmCAT derived is left: its tables may be older or newer than ours. So alleles
are taken, and a phenotype or activity score only where somebody gave it to PharmCAT.
Sources: PharmCAT's documentation of outside calls (pharmcat.org/using/
Outside-Call-Format) and its published examples of versions 2 and 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from backend.twin.genes import genes
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.normalise import MAX_LENGTH, is_not_called, symbol
from backend.twin.record import Reason
from fhir_integration.files.data_points import NotRead
from fhir_integration.instruments import dicts
from fhir_integration.strict_json import Json, NotStrict, parse

MAX_BYTES = 16 * 1024 * 1024  # a report of every gene with its variants: 0.7 MB
MOST_LINES = 1_000  # of a TSV: there are two dozen genes
_MOST_CALLS = 64  # of one gene: with more possibilities a result says nothing
_SOURCE = "PharmCAT"
_COLUMNS = 4  # gene, diplotype, phenotype, activity score
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class GeneRefusal:
    """One gene's result that was not used: its symbol if known, where, and why."""

    gene: str
    where: str
    reason: Reason


class GeneFile(NamedTuple):
    """What a file says: calls in its order, each once, and what was refused."""

    calls: tuple[Call, ...]
    refused: tuple[GeneRefusal, ...]


_Found = Call | GeneRefusal


def read_pharmcat(raw: bytes) -> GeneFile:
    """The calls of one file, JSON or TSV, told by its first character.

    Raises NotRead where it is neither, too large, or holds no gene at all.
    """
    if len(raw) > MAX_BYTES:
        raise NotRead("larger than any such file")
    is_json = raw.removeprefix(_BOM).lstrip()[:1] == b"{"
    found = list(dict.fromkeys(_of_json(raw) if is_json else _of_lines(raw)))
    if not found:
        raise NotRead("no genes in it")
    return GeneFile(
        tuple(one for one in found if isinstance(one, Call)),
        tuple(one for one in found if isinstance(one, GeneRefusal)),
    )


def _of_lines(raw: bytes) -> Iterator[_Found]:
    """Rows of a TSV; comments and empty lines are passed over."""
    try:
        lines = raw.removeprefix(_BOM).decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise NotRead("not UTF-8") from None
    if len(lines) > MOST_LINES:
        raise NotRead("more lines than there are genes")
    if not any("\t" in line for line in lines):
        raise NotRead("neither PharmCAT's JSON nor tab-separated")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield _of_line(line, f"line {number}")


def _of_line(line: str, where: str) -> _Found:
    stated, *fields = (field.strip() for field in line.split("\t"))
    gene = symbol(stated) if len(stated) <= MAX_LENGTH else ""
    if gene not in genes():
        return GeneRefusal("", where, Reason.UNKNOWN_CODE)
    is_long = any(len(field) > MAX_LENGTH or "\0" in field for field in fields)
    if is_long or any(fields[_COLUMNS - 1 :]):
        return GeneRefusal(gene, where, Reason.MALFORMED)
    diplotype, phenotype, score = (fields + [""] * _COLUMNS)[: _COLUMNS - 1]
    return _call(gene, (diplotype, phenotype, score), where, "outside call")


def _call(gene: str, said: tuple[str, str, str], where: str, by: str) -> _Found:
    """A call of what is said; NO_VALUE where that is nothing, or no call at all."""
    diplotype, phenotype, score = (
        None if not text or is_not_called(text) else text for text in said
    )
    if diplotype is not None:  # "*1≥3" here is "*1x≥3" everywhere else
        diplotype = re.sub(r"(?<=\d)≥", "x≥", diplotype)
    if diplotype is phenotype is score is None:
        return GeneRefusal(gene, where, Reason.NO_VALUE)
    return Call(gene, diplotype, phenotype, score, source=f"{_SOURCE}: {by}")


def _of_json(raw: bytes) -> Iterator[_Found]:
    """Results of a report (`genes`) or a phenotype file (`geneReports`)."""
    try:
        whole = parse(raw, max_bytes=MAX_BYTES)
    except NotStrict as fault:
        raise NotRead(f"not JSON: {fault.fault}") from None
    stated = whole.get("geneReports", whole.get("genes"))
    if not isinstance(stated, dict):
        raise NotRead("JSON, but none of PharmCAT's")
    for name, inner in stated.items():
        if not isinstance(inner, dict):
            yield GeneRefusal("", "a gene", Reason.MALFORMED)
        elif "sourceDiplotypes" in inner or "geneSymbol" in inner:
            yield from _of_gene(name, inner)
        else:  # version 2 keeps the genes of CPIC and of DPWG apart
            yield from _of_source(inner)


def _of_source(reports: Json) -> Iterator[_Found]:
    for name, report in reports.items():
        if isinstance(report, dict):
            yield from _of_gene(name, report)
        else:
            yield GeneRefusal("", "a gene", Reason.MALFORMED)


def _of_gene(name: str, report: Json) -> Iterator[_Found]:
    """Each possible diplotype of a gene as a call."""
    gene = symbol(name) if len(name) <= MAX_LENGTH else ""
    if gene not in genes():
        yield GeneRefusal("", "a gene", Reason.UNKNOWN_CODE)
        return
    where = f"gene {gene}"
    stated = report.get("sourceDiplotypes", [])
    diplotypes = dicts(stated)
    is_broken = not isinstance(stated, list) or len(diplotypes) != len(stated)
    if is_broken or len(diplotypes) > _MOST_CALLS:
        yield GeneRefusal(gene, where, Reason.MALFORMED)
    elif not diplotypes or report.get("callSource") == "NONE":
        yield GeneRefusal(gene, where, Reason.NO_VALUE)
    else:
        by = "outside call" if report.get("callSource") == "OUTSIDE" else "matcher"
        yield from (_of_diplotype(gene, one, where, by) for one in diplotypes)


def _of_diplotype(gene: str, stated: Json, where: str, by: str) -> _Found:
    names = [_name(stated.get(key)) for key in ("allele1", "allele2")]
    phenotype = _given(stated, "outsidePhenotype", stated.get("phenotypes"))
    score = _given(stated, "outsideActivityScore", [stated.get("activityScore")])
    if None in names or phenotype is None or score is None:
        return GeneRefusal(gene, where, Reason.MALFORMED)
    alleles = [name for name in names if name and not is_not_called(name)]
    diplotype = (
        "/".join(alleles) if len(alleles) == len(list(filter(None, names))) else ""
    )
    return _call(gene, (diplotype, phenotype, score), where, by)


def _name(allele: object) -> str | None:
    """An allele's name; "" where there is none, None where it is no such thing."""
    if allele is None:
        return ""
    name = allele.get("name") if isinstance(allele, dict) else None
    is_text = isinstance(name, str) and len(name) <= MAX_LENGTH and "\0" not in name
    return str(name).strip() if is_text else None


def _given(stated: Json, flag: str, values: object) -> str | None:
    """What somebody gave to PharmCAT, "" where it was derived; None where unclear."""
    if stated.get(flag) is not True:
        return ""
    if not isinstance(values, list) or len(values) > _MOST_CALLS:
        return None
    texts = [value for value in values if isinstance(value, str)]
    is_read = len(texts) == len(values) and all(len(t) <= MAX_LENGTH for t in texts)
    return ", ".join(texts) if is_read else None
