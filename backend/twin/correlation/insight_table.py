"""The words of insights and the rules with advice, out of `tables/insights.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from backend.twin.measures import measures
from backend.twin.scales import known_scales


@dataclass(frozen=True, slots=True)
class SignalWords:
    """What more and less of a body signal is called; `source` of the words."""

    more: str
    less: str
    source: str


@dataclass(frozen=True, slots=True)
class SymptomWords:
    """What a symptom is called when it is worse or better; `scales` that measure it."""

    key: str
    scales: tuple[str, ...]
    worse: str
    better: str
    source: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A rule: where more of one of `biometrics` precedes a better one of `symptoms`.

    `advice` is what may be worth discussing; `source` of the rule and the advice.
    """

    key: str
    biometrics: tuple[str, ...]
    symptoms: tuple[str, ...]
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class InsightTable:
    """Words by biometric, words by scale, and the rules."""

    biometrics: Mapping[str, SignalWords]
    symptoms: Mapping[str, SymptomWords]
    rules: tuple[Advice, ...]

    def advice(self, biometric: str, symptom: str) -> Advice | None:
        """The rule that speaks of this biometric and this scale, if there is one."""
        words = self.symptoms.get(symptom)
        return next(
            (
                rule
                for rule in self.rules
                if words and biometric in rule.biometrics and words.key in rule.symptoms
            ),
            None,
        )


@cache
def insight_table() -> InsightTable:
    """The table, read once. Raises ValueError on a block that contradicts itself."""
    table = files("backend.twin.tables").joinpath("insights.toml").read_bytes()
    return read_table(table.decode())


def read_table(text: str) -> InsightTable:
    """The table out of TOML text.

    Raises ValueError, naming the block, where words are missing, a measure or scale is
    unknown, a scale has words twice, or a rule names what has no words.
    """
    blocks = tomllib.loads(text)
    signals = {
        key: SignalWords(**_fields("biometrics", key, block, SignalWords))
        for key, block in blocks.get("biometrics", {}).items()
    }
    symptoms = [
        SymptomWords(**_fields("symptoms", key, block, SymptomWords))
        for key, block in blocks.get("symptoms", {}).items()
    ]
    rules = [
        Advice(**_fields("rules", key, block, Advice))
        for key, block in blocks.get("rules", {}).items()
    ]
    by_scale = {scale: words for words in symptoms for scale in words.scales}
    _check(signals, symptoms, rules)
    return InsightTable(signals, by_scale, tuple(rules))


def _fields(
    kind: str, key: str, block: Mapping[str, Any], of: type[Any]
) -> dict[str, Any]:
    """A block's fields as `of` takes them; lists become tuples."""
    wanted = {field.name for field in fields(of)}
    if set(block) | {"key"} != wanted | {"key"}:
        raise ValueError(f"insights.toml [{kind}.{key}]: fields are {sorted(wanted)}")
    made = {k: tuple(v) if isinstance(v, list) else v for k, v in block.items()}
    return {**made, "key": key} if "key" in wanted else made


def _check(
    signals: Mapping[str, SignalWords],
    symptoms: list[SymptomWords],
    rules: list[Advice],
) -> None:
    """Refuse what no reader of the table could have meant."""
    scales = [scale for words in symptoms for scale in words.scales]
    named = {words.key for words in symptoms}
    wrong = {
        "no such measure": set(signals) - set(measures()),
        "no such scale": set(scales) - set(known_scales()),
        "words twice": {scale for scale in scales if scales.count(scale) > 1},
        "a rule's signal has no words": {
            one for rule in rules for one in rule.biometrics if one not in signals
        },
        "a rule's symptom has no words": {
            one for rule in rules for one in rule.symptoms if one not in named
        },
    }
    for why, which in wrong.items():
        if which:
            raise ValueError(f"insights.toml: {why}: {', '.join(sorted(which))}")
