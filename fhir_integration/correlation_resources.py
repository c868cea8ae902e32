"""A link in words as FHIR R4: Device (by whom), Observation (what), Provenance.

A link never wears a measurement's code: it has a code system of its own, the AIAST
label, the window as its period and a note that it is an association and no cause. What
is not known is left out, never zero. Numbers are rounded to four decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

from backend.twin.correlation.insights import Insight
from backend.twin.correlation.link import Link
from backend.twin.ports import CorrelationDocument
from fhir_integration import codes, model_outputs
from fhir_integration.correlation_components import components, signal, symptom
from fhir_integration.elements import concept, instant, quantity
from fhir_integration.errors import NotConformant
from fhir_integration.strict_json import Json

CODE = "lagged-association"
ENGINE = "correlation-engine"  # the method, and the Device, where no model answered
_NETWORK = "correlation-network"
_XHTML = "http://www.w3.org/1999/xhtml"
_WHITENED = (
    "Standardised coefficient of both series without daily course, weekday and trend, "
    "whitened"
)


def device(document: CorrelationDocument) -> Json:
    """The model versions whose answer it rests on, or the engine alone."""
    return model_outputs.device(
        document.models, method=ENGINE, title="MindTwin biometric correlation"
    )


def observation(document: CorrelationDocument, *, device_reference: str) -> Json:
    """The coefficient, and in components what it is of and how sure."""
    made = flat_observation(document, device_reference=device_reference)
    return {**made, "component": components(document.insight)}


def flat_observation(document: CorrelationDocument, *, device_reference: str) -> Json:
    """The coefficient alone, for EHRs that strip components: the note has the rest.

    Raises NotConformant for a document without one.
    """
    insight, link = document.insight, document.insight.link
    if link.coefficient is None:
        raise NotConformant("an insight has no coefficient")
    return {
        "resourceType": "Observation",
        "meta": {"security": [codes.AI_LABEL]},
        "text": _narrative(insight.text),
        "identifier": [model_outputs.identifier(document.identifier)],
        "status": "final",
        "category": [concept(codes.CATEGORY, "prediction", "Model prediction")],
        "code": {
            **concept(codes.CORRELATION, CODE, "Lagged association"),
            "text": f"Lagged association of {signal(link)[1]} and {symptom(link)[1]} "
            "(model estimate, not a measurement)",
        },
        "subject": {"reference": f"Patient/{document.ehr_patient}"},
        "effectivePeriod": _period(link),
        "issued": instant(document.issued),
        "performer": [{"display": "MindTwin"}],
        "device": {"reference": device_reference},
        "method": _method(document),
        "valueQuantity": quantity(link.coefficient, "1"),
        "note": [{"text": _note(insight, document.clock)}],
        **model_outputs.derived_from(document.sources),
    }


def _narrative(text: str) -> Json:
    """The sentence as people are shown it."""
    div = f'<div xmlns="{_XHTML}"><p>{escape(text)}</p></div>'
    return {"status": "generated", "div": div}


def _period(link: Link) -> Json:
    """First and last local day of the reports; the window's end is exclusive."""
    begin, end = (moment.astype("datetime64[s]").item() for moment in link.window)
    last: date = (end - timedelta(seconds=1)).date()
    return {"start": begin.date().isoformat(), "end": last.isoformat()}


def _method(document: CorrelationDocument) -> Json:
    """What the network said, if it did; of an association its size is the engine's."""
    if not document.models:
        return {**concept(codes.METHOD, ENGINE), "text": f"{_WHITENED}; engine alone"}
    by = " + ".join(
        f"{use.model} version {use.version}"
        for use in model_outputs.ordered(document.models)
    )
    said = "probability, coefficient and lag"
    if not document.insight.link.direct:
        said = "probability of a direct link"
    text = f"{_WHITENED}; {said} by {by}, behind the engine's test"
    return {**concept(codes.METHOD, _NETWORK), "text": text}


def _note(insight: Insight, clock: str) -> str:
    """The sentence, its numbers, that it is no cause, and how far to rely on it."""
    reasons = "; ".join(insight.reasons)
    graded = f"Reliability {insight.grade.value}{': ' if reasons else ''}{reasons}."
    by = f"Times are those of {clock}." if clock else ""
    source = f" ({insight.source})" if insight.source else ""
    advice = f"{insight.advice}{source}" if insight.advice else ""
    parts = (insight.text, insight.evidence, _ended(insight.caveat), graded, by, advice)
    return " ".join(["Model estimate, not a measurement.", *filter(None, parts)])


def _ended(sentence: str) -> str:
    return f"{sentence.rstrip('.')}." if sentence else ""


def provenance(
    document: CorrelationDocument,
    *,
    observation_references: Sequence[str],
    device_reference: str,
) -> Json:
    """Which software made the Observation, from which versions of which reports."""
    return model_outputs.provenance(
        document.sources,
        issued=document.issued,
        observation_references=observation_references,
        device_reference=device_reference,
    )
