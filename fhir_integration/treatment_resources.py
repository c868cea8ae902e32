"""Advice on one medicine as FHIR R4: Device, implication, a model's answer, Provenance.

The therapeutic implication follows from tables, not from a model, so it bears no label
of an AI. What a response model estimates is an Observation of its own: that one has the
AIAST label and says that the model learned from simulated outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from uuid import UUID, uuid5

from backend.twin.ports import TreatmentDocument
from fhir_integration import codes, model_outputs
from fhir_integration.elements import concept, instant, quantity
from fhir_integration.errors import NotConformant
from fhir_integration.strict_json import Json
from fhir_integration.treatment_components import (
    IMPLICATION,
    advice_text,
    assessed,
    components,
    conclusion,
    stop_text,
)

RULES = "pharmacogenomics-rules"  # the method, and the Device, of what no model said
_XHTML = "http://www.w3.org/1999/xhtml"
DISCLAIMER = (
    "From published guidelines and labels by rules, for the prescriber to weigh; no "
    "prescription. What is not known is named, never taken for safe."
)
SIMULATED = (
    "Model estimate, not a measurement; the model was trained on simulated outcomes. "
    "Published models of response to treatment, tried on real patients, reach an AUC "
    "of .60 to .67."
)


def rules_device() -> Json:
    """The rules behind the advice; each advice names its own guideline's version."""
    return model_outputs.device((), method=RULES, title="MindTwin pharmacogenomics")


def response_device(document: TreatmentDocument) -> Json:
    """The model versions behind the estimate of response."""
    return model_outputs.device(
        document.models, method=RULES, title="MindTwin treatment response"
    )


def own_identity(document: TreatmentDocument, name: str) -> UUID:
    """The identity of a further resource of the same document."""
    return uuid5(document.identifier, name)


def implication(document: TreatmentDocument, *, device_reference: str) -> Json:
    """What the sources say of the medicine for these genes, in components and words."""
    made = flat_implication(document, device_reference=device_reference)
    return {**made, "component": components(document)}


def flat_implication(document: TreatmentDocument, *, device_reference: str) -> Json:
    """The same in words alone, for EHRs that strip components or extensions.

    Raises NotConformant where it derives from no result that the EHR holds.
    """
    laboratory = concept(codes.SURVEY, "laboratory")
    genetics = concept("http://terminology.hl7.org/CodeSystem/v2-0074", "GE")
    return {
        **_any_observation(document, document.identifier),
        "text": _narrative(conclusion(document)),
        "category": [laboratory, genetics],
        "code": {
            **concept(codes.GENOMICS, IMPLICATION),
            "text": f"Therapeutic implication for {document.medication}",
        },
        "device": {"reference": device_reference},
        "method": concept(codes.METHOD, RULES),
        "note": [{"text": line} for line in _lines(document)],
    }


def response(document: TreatmentDocument, *, device_reference: str) -> Json:
    """What the response model estimates, each share a component."""
    return {
        **flat_response(document, device_reference=device_reference),
        "component": [
            assessed(document),
            *(
                {
                    "code": {**concept(codes.RESPONSE, name), "text": _words(name)},
                    "valueQuantity": quantity(share, "1"),
                }
                for name, share in _shares(document.response or {})
            ),
        ],
    }


def flat_response(document: TreatmentDocument, *, device_reference: str) -> Json:
    """The same with the shares in words alone.

    Raises NotConformant where no model is named, or what is said is no number.
    """
    if not document.models:
        raise NotConformant("an estimate of response names no model")
    by = ", ".join(
        f"{use.model} version {use.version}"
        for use in model_outputs.ordered(document.models)
    )
    told = "; ".join(
        f"{_words(name)} {share:.2f}"
        for name, share in _shares(document.response or {})
    )
    return {
        **_any_observation(document, own_identity(document, "response")),
        "meta": {"security": [codes.AI_LABEL]},
        "category": [concept(codes.CATEGORY, "prediction", "Model prediction")],
        "code": {
            **concept(codes.RESPONSE, "treatment-response", "Treatment response"),
            "text": f"Estimated response to {document.medication} "
            "(model trained on simulated outcomes)",
        },
        "device": {"reference": device_reference},
        "method": {**concept(codes.METHOD, "response-model"), "text": f"By {by}"},
        "note": [{"text": f"{SIMULATED} {document.medication}: {told}."}],
    }


def _any_observation(document: TreatmentDocument, own: UUID) -> Json:
    derived = model_outputs.derived_from(genotypes(document))
    if not derived:
        raise NotConformant("advice derives from no genotype of the EHR")
    return {
        "resourceType": "Observation",
        "identifier": [model_outputs.identifier(own)],
        "status": "final",
        "subject": {"reference": f"Patient/{document.ehr_patient}"},
        "effectiveDateTime": instant(document.issued),
        "issued": instant(document.issued),
        "performer": [{"display": "MindTwin"}],
        **derived,
    }


def genotypes(document: TreatmentDocument) -> list[str]:
    """References of the Observations that the advice rests on, each once."""
    stated = dict.fromkeys(model_outputs.references(document.genotype_sources))
    return [one for one in stated if one.startswith("Observation/")]


def _narrative(text: str) -> Json:
    div = f'<div xmlns="{_XHTML}"><p>{escape(text)}</p></div>'
    return {"status": "generated", "div": div}


def _lines(document: TreatmentDocument) -> list[str]:
    """Everything in words: stops first, then each source's advice, then what it is."""
    stops = [stop_text(one) for one in document.stops]
    return [*stops, *(advice_text(one) for one in document.advice), DISCLAIMER]


def _shares(
    said: Mapping[str, object], within: str = ""
) -> Iterator[tuple[str, float]]:
    """Names and numbers; what is None is not known and left out."""
    for name, value in said.items():
        code = f"{within}{name}".replace("_", "-").replace(" ", "-")
        if isinstance(value, Mapping):
            yield from _shares(value, f"{code}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield code, float(value)
        elif value is not None:
            raise NotConformant("an estimate of response is no number")


def _words(code: str) -> str:
    return code.replace("-", " ").replace(".", ": ")


def provenance(
    document: TreatmentDocument,
    *,
    references: Sequence[str],
    device_reference: str,
    is_by_model: bool,
) -> Json:
    """Which software made what, from which genotypes."""
    return model_outputs.provenance(
        genotypes(document),
        issued=document.issued,
        observation_references=references,
        device_reference=device_reference,
        is_by_model=is_by_model,
    )
