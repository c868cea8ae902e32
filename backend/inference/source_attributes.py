"""What clinicians are told of a model's making: said, or said to be unknown.

The 31 attributes follow 45 CFR 170.315(b)(11)(iv)(B), in its order and in our own
words, because they are good questions. They are no claim of certification.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=4000)]


class Part(BaseModel):
    """Closed and finite: JSON has no NaN, and an unknown field is a misspelt one."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class NotAvailable(Part):
    """Nobody knows, and why."""

    not_available: Text


class Known(Part):
    """What is known, in words."""

    value: Text


Said = Known | NotAvailable


class SourceAttributes(Part):
    """The 31, by the paragraph's nine groups."""

    # details and output
    developer: Said
    funding: Said
    output: Said
    output_kind: Said
    # purpose
    intended_use: Said
    intended_patients: Said
    intended_users: Said
    decision_role: Said
    # cautioned out-of-scope use
    cautioned_uses: Said
    risks_and_limitations: Said
    # development and input features
    training_criteria: Said
    personal_inputs: Said
    training_representativeness: Said
    training_relevance: Said
    # process for fairness
    fairness_approach: Said
    bias_management: Said
    # external validation
    external_data: Said
    external_party: Said
    external_representativeness: Said
    external_process: Said
    # quantitative measures
    validity_internal: Said
    fairness_internal: Said
    validity_external: Said
    fairness_external: Said
    outcome_references: Said
    # ongoing maintenance
    validity_monitoring: Said
    validity_local: Said
    fairness_monitoring: Said
    fairness_local: Said
    # updates
    update_process: Said
    correction_process: Said
