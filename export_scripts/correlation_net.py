"""The compact correlation network: the engine's answer, and what training adds to it.

It starts as the engine: p(link), lag posterior and coefficient are those of the single
effects, and every last layer is zero, so training can only move away where that pays.
Exact by construction: turning a biometric's scale round turns its coefficient round and
changes nothing else; biometrics have no order; what is absent is not looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from backend.twin.correlation.lag_profile import CHANNELS, PAIR_CONTEXT
from backend.twin.correlation.model_inputs import COLUMNS, LAGS

SIGNED = tuple(
    CHANNELS.index(n) for n in ("z", "z_given_others", "whitened_r", "raw_r")
)
PLAIN = tuple(CHANNELS.index(n) for n in ("autocorrelation", "coverage"))
GIVEN, PRECISION, POSTERIOR = (
    CHANNELS.index(n) for n in ("z_given_others", "precision", "lag_posterior")
)
P_LINK, KNOWN = PAIR_CONTEXT.index("p_link"), PAIR_CONTEXT.index("known")
PER_LAG = len(SIGNED) + len(PLAIN) + 5  # precision, posterior, others', lag, its sign
CONTEXT = len(PAIR_CONTEXT) + 3 + len(COLUMNS["symptoms"])
Z90 = 1.6449  # of a normal: the central 90 % reach so many spreads to either side
LARGEST = 1.5  # of a coefficient, standard deviations per standard deviation
NOTHING = -1e4  # a logit of what is absent


@dataclass(frozen=True, slots=True)
class Size:
    """Widths of the layers over lags and of the tokens, one per biometric."""

    lags: int = 32
    token: int = 64
    heads: int = 4
    layers: int = 2
    spacings: tuple[int, ...] = (1, 3, 9)  # hours between a filter's three


class BiometricCorrelation(nn.Module):
    """[b, biometric, 97, 8], [b, biometric, 5], [b, 7] -> [b, biometric, 100]."""

    hours: Tensor

    def __init__(self, size: Size) -> None:
        super().__init__()
        hours = torch.tensor(LAGS, dtype=torch.float32)
        self.register_buffer("hours", torch.stack([hours / 72, hours.sign()], dim=1))
        self.encoder = nn.Sequential(
            *(nn.Linear(CONTEXT, size.token), nn.GELU()),
            *(nn.Linear(size.token, size.token), nn.GELU()),
        )
        self.stem = nn.Conv1d(PER_LAG, size.lags, 3, padding=1)
        self.kind = nn.Linear(size.token, 2 * size.lags)  # hours or days, and how many
        self.along = nn.Sequential(*(Along(size.lags, s) for s in size.spacings))
        self.seen = nn.Conv1d(size.lags, 2, 1)  # where a token looks: two places
        self.token = nn.Linear(4 * size.lags + size.token, size.token)
        self.among = nn.ModuleList(Among(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.token)
        self.where = nn.Linear(size.token, size.lags)  # a token's word on every lag
        self.lag = nn.Conv1d(size.lags, 1, 1)
        self.pair = nn.Linear(size.token, 4)
        for last in (self.lag, self.pair):
            for weights in last.parameters():
                nn.init.zeros_(weights)

    def forward(self, profiles: Tensor, pairs: Tensor, symptoms: Tensor) -> Tensor:
        """p(link), coefficient, spread and the lags' probabilities of every pair."""
        known = pairs[:, :, KNOWN]  # (b, n) 1 or 0
        given, posterior = profiles[..., GIVEN], profiles[..., POSTERIOR]
        turned = torch.where((given * posterior).sum(2) >= 0, 1.0, -1.0)  # (b, n)
        odds, context = self._context(profiles, pairs, symptoms)
        told = self.encoder(context)  # (b, n, token)
        x = self._lags(profiles, turned, told)  # (b * n, lags, 97)
        b, n = known.shape
        weight = torch.softmax(self.seen(x), dim=2)  # (b * n, 2, 97)
        places = (weight @ x.transpose(1, 2)).flatten(1)  # (b * n, 2 * lags)
        summary = torch.cat([places, x.mean(2), x.amax(2)], dim=1).reshape(b, n, -1)
        tokens = self.token(torch.cat([summary, told], dim=2))
        for layer in self.among:
            tokens = layer(tokens, known)
        tokens = self.norm(tokens)
        heard = nn.functional.gelu(x + self.where(tokens).reshape(b * n, -1, 1))
        logits = torch.log(posterior + 1e-5) + self.lag(heard).reshape(b, n, -1)
        lags = torch.softmax(logits, dim=2)
        moved = self.pair(tokens)
        p_link = known * torch.sigmoid(odds + moved[..., 0])
        size, spread = self._coefficient(profiles, turned, lags.detach(), moved)
        both = torch.stack([p_link, size * known, spread * known], dim=2)
        return torch.cat([both, lags * known[:, :, None]], dim=2)

    def _context(
        self, profiles: Tensor, pairs: Tensor, symptoms: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The engine's log odds under the prior, and all numbers about a pair."""
        p_link = pairs[:, :, P_LINK].clamp(1e-5, 1 - 1e-5)
        odds = torch.log(p_link) - torch.log1p(-p_link) + symptoms[:, None, -1]
        whole = symptoms[:, None].expand(-1, pairs.shape[1], -1)
        height = profiles[..., GIVEN].abs().amax(2)
        others = pairs[:, :, P_LINK].sum(1, keepdim=True) - pairs[:, :, P_LINK]
        extra = torch.stack([odds / 4, torch.asinh(height), others], dim=2)
        return odds, torch.cat([pairs, extra, whole], dim=2)

    def _lags(self, profiles: Tensor, turned: Tensor, told: Tensor) -> Tensor:
        """What is seen along the lags of every pair, [b * n, lags, 97]."""
        b, n, count, _ = profiles.shape
        posterior = profiles[..., POSTERIOR]
        others = posterior.sum(1, keepdim=True) - posterior
        place = self.hours.expand(b, n, count, 2)
        columns = [
            torch.asinh(profiles[..., list(SIGNED)] * turned[:, :, None, None]),
            profiles[..., list(PLAIN)],
            torch.log1p(profiles[..., PRECISION].clamp(min=0))[..., None],
            (torch.log(posterior.clamp(min=0) + 1e-5) / 4 + 1)[..., None],
            others[..., None],
            place,
        ]
        x = torch.cat(columns, dim=3).reshape(b * n, count, PER_LAG).transpose(1, 2)
        scale, shift = self.kind(told).reshape(b * n, -1, 1).chunk(2, dim=1)
        x = self.stem(x) * (1 + scale) + shift
        along: Tensor = self.along(x)
        return along

    def _coefficient(
        self, profiles: Tensor, turned: Tensor, lags: Tensor, moved: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Least squares over the lags that may be, shrunk; and how far that may be off.

        Its variance is that of least squares and of the choice of the lag.
        """
        error = 1 / profiles[..., PRECISION].clamp(min=0.5)
        each = (profiles[..., GIVEN] * turned[:, :, None] * error).clamp(-2, 2)
        mean = (lags * each).sum(2)
        variance = (lags * (error**2 + (each - mean[:, :, None]) ** 2)).sum(2)
        size = mean * torch.exp(moved[..., 1]) + moved[..., 3]
        spread = torch.sqrt(variance + 1e-4) * torch.exp(moved[..., 2].clamp(-4, 4))
        return turned * size.clamp(-LARGEST, LARGEST), spread


class Along(nn.Module):
    """One residual convolution over lags."""

    def __init__(self, width: int, spacing: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.near = nn.Conv1d(width, width, 3, padding=spacing, dilation=spacing)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[b, width, lag] -> the same."""
        after: Tensor = x + self.mix(nn.functional.gelu(self.near(self.norm(x))))
        return after


class Among(nn.Module):
    """A pre-norm attention layer over biometrics; what is absent is not looked at."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.token
        self.heads = size.heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asks, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """[b, n, width] and who is there [b, n] -> [b, n, width]."""
        b, n, width = x.shape
        parts = self.asks(self.norm1(x)).reshape(b, n, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (b, head, n, each)
        score = query @ key.transpose(2, 3) / math.sqrt(width // self.heads)
        score = score + NOTHING * (1 - known[:, None, None])
        seen = (torch.softmax(score, dim=3) @ value).transpose(1, 2)
        x = x + self.out(seen.reshape(b, n, width))
        after: Tensor = x + self.feed(self.norm2(x))
        return after


def loss(answer: Tensor, truth: dict[str, Tensor]) -> Tensor:
    """The sum of proper scores: of the link, its lag, its coefficient's 90 % interval.

    Log scores of the first two; of the interval its score (Gneiting & Raftery 2007,
    doi:10.1198/016214506000001437), and the absolute error of its middle.
    """
    scored, linked = truth["scored"], truth["linked"] * truth["scored"]
    p_link = answer[..., 0].clamp(1e-6, 1 - 1e-6)
    link = nn.functional.binary_cross_entropy(p_link, truth["linked"], scored)
    there = linked * (truth["lag"] >= 0)
    at = truth["lag"].clamp(min=0).long()[..., None]
    lag = -torch.log(answer[..., 3:].gather(2, at)[..., 0] + 1e-6)
    sized = linked * torch.isfinite(truth["weight"])
    gap = (torch.nan_to_num(truth["weight"]) - answer[..., 1]).abs()
    reach = Z90 * answer[..., 2]
    size = 2 * reach + 20 * (gap - reach).clamp(min=0) + 2 * gap
    total: Tensor = (
        link * scored.numel() / scored.sum().clamp(min=1)
        + 0.25 * (lag * there).sum() / there.sum().clamp(min=1)
        + 0.5 * (size * sized).sum() / sized.sum().clamp(min=1)
    )
    return total
