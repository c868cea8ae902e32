"""The response model for a file of people: not published yet, and said so."""

from __future__ import annotations

from backend.jobs.pharmacogenomics import Model
from backend.twin.errors import ModelUnavailable

MODEL = "treatment_response"


def response_model() -> Model:
    """The model in production. Raises ModelUnavailable: there is none to ask."""
    raise ModelUnavailable(f"{MODEL} is not available; run without --response")
