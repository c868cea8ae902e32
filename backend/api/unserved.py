"""The models for a service that can do without: where none can be served, none answers.

A repository that is refused as a whole takes no guideline along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from backend import wiring
from backend.twin.errors import ModelError
from backend.twin.ports import Arrays, ModelServer


@dataclass(frozen=True, slots=True)
class Unserved:
    """Stands where no model can be served; `why` is raised for each that is asked."""

    why: ModelError

    def infer(
        self,
        model: str,  # noqa: ARG002 - none of them answers
        version: int,  # noqa: ARG002
        inputs: Arrays,  # noqa: ARG002
        *,
        timeout_s: float,  # noqa: ARG002
    ) -> NoReturn:
        """Raises ModelError."""
        raise self.why

    def canary(self, model: str, version: int) -> NoReturn:  # noqa: ARG002
        """Raises ModelError."""
        raise self.why


def models_if_any() -> ModelServer:
    """The installation's models, or nobody."""
    try:
        return wiring.models()
    except ModelError as error:
        return Unserved(error)
