"""The compact response net: a person's facts, turned by what the medicine is.

The medicine scales and shifts the layers over the person (FiLM, Perez et al. 2018,
arXiv:1709.07871). What stands for a medicine is a module of its own: a vector per
medicine here, a network over its molecule in `response_molecules`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from backend.twin.pharmacogenomics.response_inputs import (
    NEAR,
    OPTIONS,
    PATIENT,
    SIDE_EFFECTS,
)

OUTCOMES = 1 + len(SIDE_EFFECTS)
GRID = 101  # quantiles of the reference people's efficacy, for the percentile
STEEPEST = 1e-4  # least distance between two of them, so that it stays smooth
_FAILED, _HELPED = (
    [PATIENT.index(f"{kind}_{drug}") for drug in OPTIONS]
    for kind in ("failed", "helped")
)


class OneHot(nn.Module):
    """A learnt vector for each medicine."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(0.3 * torch.randn(len(OPTIONS), width))

    def forward(self) -> Tensor:
        """[medicine, width]."""
        return self.vectors


class Compact(nn.Module):
    """[b, column] and [b, medicine] -> [b, outcomes + 1] log odds.

    The last one is that of being near the truth. `drugs` makes what gives a vector
    per medicine, of a width.
    """

    def __init__(
        self,
        drugs: Callable[[int], nn.Module],
        *,
        width: int = 96,
        drug_width: int = 24,
    ) -> None:
        super().__init__()
        self.drugs = drugs(drug_width)
        inside = len(PATIENT) + 2 * drug_width + 2
        self.inside, self.middle = nn.Linear(inside, width), nn.Linear(width, width)
        self.films = nn.ModuleList(nn.Linear(drug_width, 2 * width) for _ in range(2))
        self.out = nn.Linear(width, OUTCOMES)
        self.plain = nn.Linear(drug_width, OUTCOMES)
        self.sure = nn.Sequential(
            *(nn.Linear(width + inside + drug_width, width), nn.GELU()),
            nn.Linear(width, 1),
        )

    def forward(self, patient: Tensor, drug: Tensor) -> Tensor:
        """Log odds of the outcomes, and last of being near."""
        vectors = self.drugs()
        own = drug @ vectors
        failed, helped = patient[:, _FAILED], patient[:, _HELPED]
        seen = [
            *(patient, own * (failed @ vectors), own),
            (failed * drug).sum(1, keepdim=True),
            (helped * drug).sum(1, keepdim=True),
        ]
        x = known = torch.cat(seen, dim=1)
        for layer, film in zip((self.inside, self.middle), self.films, strict=True):
            scale, shift = film(own).chunk(2, dim=1)
            x = nn.functional.gelu(layer(x) * (1 + scale) + shift)
        told = self.out(x) + self.plain(own)
        away = torch.cat([x, known, own], dim=1).detach()
        return torch.cat([told, self.sure(away)], dim=1)


class Logistic(nn.Module):
    """The plain baseline: log odds that are sums over columns and medicines."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = nn.Linear(len(PATIENT) + len(OPTIONS), OUTCOMES + 1)

    def forward(self, patient: Tensor, drug: Tensor) -> Tensor:
        """As `Compact`."""
        told: Tensor = self.sum(torch.cat([patient, drug], dim=1))
        return told


class Responses(nn.Module):
    """[b, column] and [b, medicine] -> [b, answer], in the order of `ANSWER`."""

    grid: Tensor

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk
        even = torch.linspace(0, 1, GRID).expand(len(OPTIONS), GRID)
        self.register_buffer("grid", even.clone())

    def forward(self, patient: Tensor, drug: Tensor) -> Tensor:
        """Shares of one: see `response_inputs`."""
        told = torch.sigmoid(self.trunk(patient, drug))
        efficacy, effects, sure = told[:, :1], told[:, 1:-1], told[:, -1:]
        grid = drug @ self.grid
        low, high = grid[:, :-1], grid[:, 1:]
        passed = (efficacy - low) / (high - low).clamp(min=STEEPEST)
        percentile = passed.clamp(0, 1).mean(1, keepdim=True)
        return torch.cat([efficacy, percentile, sure, effects], dim=1)


def loss(told: Tensor, outcome: Tensor, chance: Tensor) -> Tensor:
    """Mean log score of every outcome, and of being near the true probability."""
    score = nn.functional.binary_cross_entropy_with_logits
    efficacy = torch.sigmoid(told[:, 0]).detach()
    near = ((efficacy - chance[:, 0]).abs() <= NEAR).float()
    found: Tensor = score(told[:, :-1], outcome) + 0.1 * score(told[:, -1], near)
    return found
