"""What all that our models say has in common: Device, Provenance, and an identity.

The Device is the set of model versions that answered, named by their artifacts, or the
method that stood in. The Provenance joins what was written to what it was made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from backend.twin.trajectory import ModelUse
from fhir_integration import codes
from fhir_integration.elements import concept, instant
from fhir_integration.strict_json import Json

MOST_DERIVED_FROM = 100  # references; the Provenance names every source


def device(models: Sequence[ModelUse], *, method: str, title: str) -> Json:
    """The versions of `models`, or `method` where there are none; `title` of both."""
    name = device_name(models, method=method)
    versions = [
        version
        for use in ordered(models)
        for version in (
            _version(use.model, str(use.version)),
            _version(f"{use.model} artifact sha256", use.sha256),
        )
    ]
    return {
        "resourceType": "Device",
        "identifier": [{"system": codes.MODEL, "value": name}],
        "status": "active",
        "deviceName": [{"name": f"{title}: {name}", "type": "model-name"}],
        "type": {"text": "Software: prediction model"},
        "version": versions or [_version("method", method)],
    }


def device_name(models: Sequence[ModelUse], *, method: str) -> str:
    """Identifier of the Device: model:version pairs and a digest of their artifacts."""
    if not models:
        return method
    pairs = [f"{use.model}:{use.version}" for use in ordered(models)]
    artifacts = "\n".join(use.sha256 for use in ordered(models))
    digest = hashlib.sha256(artifacts.encode()).hexdigest()[:12]
    return "~".join([*pairs, digest])


def ordered(models: Sequence[ModelUse]) -> list[ModelUse]:
    """By name and version, so that equal sets are told alike."""
    return sorted(models, key=lambda use: (use.model, use.version))


def _version(kind: str, value: str) -> Json:
    return {"type": {"text": kind}, "value": value}


def identifier(value: UUID) -> Json:
    """The identity under which a repeat finds what was written."""
    return {"system": codes.PREDICTION, "value": str(value)}


def references(sources: Sequence[str]) -> list[str]:
    """Those of Observations and forms; sources of other kinds are left out."""
    return [source for source in sources if codes.SOURCE.fullmatch(source)]


def derived_from(sources: Sequence[str]) -> Json:
    """The element of that name with the newest sources, oldest first; or nothing."""
    newest = references(sources)[-MOST_DERIVED_FROM:]
    if not newest:
        return {}
    return {"derivedFrom": [{"reference": source} for source in newest]}


def provenance(
    sources: Sequence[str],
    *,
    issued: datetime,
    observation_references: Sequence[str],
    device_reference: str,
    is_by_model: bool = True,
) -> Json:
    """Which software made the Observations, from which versions of which entries.

    It says that an AI asserts them unless `is_by_model` is False: rules are none.
    """
    entities = [
        {"role": "source", "what": {"reference": source}}
        for source in references(sources)
    ]
    agent = concept(
        "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "assembler"
    )
    labelled: Json = {"meta": {"security": [codes.AI_LABEL]}} if is_by_model else {}
    resource: Json = {
        "resourceType": "Provenance",
        **labelled,
        "target": [{"reference": name} for name in observation_references],
        "recorded": instant(issued),
        "activity": concept(
            "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE"
        ),
        "agent": [{"type": agent, "who": {"reference": device_reference}}],
    }
    if entities:
        resource["entity"] = entities
    return resource
