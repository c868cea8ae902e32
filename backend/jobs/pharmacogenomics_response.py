"""The response model for a file of people: the one in production, or a clear no."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from backend import wiring
from backend.jobs.pharmacogenomics_lines import Asked
from backend.predictions.response_model import (
    LABEL,
    NO_ANSWER,
    approved_response_model,
    estimate,
)
from backend.twin.errors import ModelUnavailable
from backend.twin.pharmacogenomics.report import Report, scored
from backend.twin.pharmacogenomics.response import ResponsePolicy
from backend.twin.pharmacogenomics.response_inputs import MODEL
from backend.twin.ports import ModelServer
from backend.twin.trajectory import ModelUse


@dataclass(frozen=True, slots=True)
class ResponseModel:
    """Whom to ask, how long it has for a person in seconds, and what of it is told."""

    use: ModelUse
    server: ModelServer
    timeout_s: float
    policy: ResponsePolicy = field(default_factory=ResponsePolicy)

    @property
    def told(self) -> dict[str, str | int | float]:
        """What stands beside every answer that it had a part in."""
        return {
            "model": self.use.model,
            "version": self.use.version,
            "sha256": self.use.sha256,
            "least_confidence": self.policy.least_confidence,
            "label": LABEL,
        }

    def scored(self, asked: Asked, made: Report) -> Report:
        """The report with the model's figures, as far as it knows the medicines.

        Raises ModelUnavailable where it does not answer.
        """
        current = asked.case.current or ()
        person = replace(asked.person, genes=made.genes, current=current)
        heard = estimate(
            made, person, (self.use,), self.server, timeout_s=self.timeout_s
        )
        if heard.method == NO_ANSWER:
            raise ModelUnavailable(
                f"{MODEL} did not answer; the same command goes on where this one was"
            )
        return scored(made, heard.responses, self.policy)


def response_model(least_confidence: float) -> ResponseModel:
    """The model in production; a figure is told from `least_confidence`, a share.

    Raises ModelUnavailable where there is none.
    """
    server = wiring.models()  # first: where nothing is registered yet, it registers
    uses = approved_response_model()
    if not uses:
        raise ModelUnavailable(
            f"{MODEL} is not available: no version of it is in production; "
            "see manage.py models list, and promote one"
        )
    timeout_s = wiring.pharmacogenomics_policy().timeout_s
    policy = ResponsePolicy(least_confidence=least_confidence)
    return ResponseModel(uses[0], server, timeout_s, policy)
