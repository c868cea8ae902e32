"""Results of genes as Observations that are read as the same results again.

In the shape of HL7's Genomics Reporting guide: a genotype that names its gene.
"""

from __future__ import annotations

from backend.twin.genes import GeneCall, genes
from fhir_integration.codes import LOINC
from fhir_integration.strict_json import Json

_HGNC = "http://www.genenames.org/geneId"


def told_gene(call: GeneCall) -> tuple[str, Json]:
    """Name and elements of the Observation; equal results have equal names.

    Raises ValueError for what no single diplotype says: that is not put in.
    """
    if not call.diplotype or call.ambiguous or call.phenotype or call.activity:
        raise ValueError("only a result that is one diplotype is put in")
    number = f"HGNC:{genes()[call.gene].hgnc}"
    gene = {"system": _HGNC, "code": number, "display": call.gene}
    said: Json = {
        "code": {"coding": [{"system": LOINC, "code": "84413-4"}], "text": "Genotype"},
        "valueCodeableConcept": {"text": f"{call.gene} {call.diplotype}"},
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": "48018-6"}]},
                "valueCodeableConcept": {"coding": [gene]},
            }
        ],
    }
    if call.day is not None:
        said["effectiveDateTime"] = call.day.isoformat()
    return f"{call.gene}|{call.diplotype}|{call.day}", said
