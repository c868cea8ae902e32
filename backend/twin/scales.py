"""Symptom scales: what a score means, where it comes from and how it may be read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, get_args

from backend.twin.errors import UnknownScale

Cadence = Literal["daily", "questionnaire"]
CADENCES = get_args(Cadence)
_AGES = frozenset({"youngest", "oldest"})  # whole years


@dataclass(frozen=True, slots=True)
class Band:
    """A named severity range, both ends included, in score units; rank 0 is mildest."""

    name: str
    low: float
    high: float
    rank: int
    severe: bool = False


@dataclass(frozen=True, slots=True)
class SafetyItem:
    """A questionnaire's item whose answer above `above` calls for a human at once.

    Its answers run from `low` to `high`, score units. `system` is the code system of
    `code`; empty where it is the scale's own. `answers` says in our words what each
    answer above `above` means, lowest first; empty where the number says it.
    """

    code: str
    title: str
    above: float
    low: float = 0.0
    high: float = 3.0
    system: str = ""
    answers: tuple[str, ...] = ()

    def meaning(self, answer: float) -> str:
        """What that answer means, in words; empty where the table has none for it."""
        place = answer - self.above - 1
        if place not in range(len(self.answers)):
            return ""
        return self.answers[int(place)]


@dataclass(frozen=True, slots=True)
class Scale:
    """One instrument: code, range in score units, direction, bands, and their source.

    `higher_is_worse` is None where the direction is unknown: then no text may say
    better or worse. `important_change` is the smallest change (score units) that the
    source calls clinically important; None where no source was found. `youngest` and
    `oldest` are the ages (whole years, both included) for whom `ages_source` says that
    the instrument is valid; None where no source sets that end.
    """

    key: str
    title: str
    system: str
    code: str
    unit: str
    low: float
    high: float
    higher_is_worse: bool | None
    cadence: Cadence
    source: str
    step: float | None = None
    bands: tuple[Band, ...] = ()
    important_change: float | None = None
    change_source: str | None = None
    safety_item: SafetyItem | None = None
    youngest: int | None = None
    oldest: int | None = None
    ages_source: str | None = None

    @property
    def is_answer_only(self) -> bool:
        """True for an instrument without a total: its one code is its safety item's.

        Its answers alert and are never a series, so nothing is forecast of them.
        """
        return self.safety_item is not None and self.safety_item.code == self.code

    @property
    def safety_system(self) -> str:
        """The code system of the safety item's code; empty where there is no item."""
        return (self.safety_item.system or self.system) if self.safety_item else ""

    @property
    def width(self) -> float:
        """High end minus low end, score units."""
        return self.high - self.low

    def band(self, score: float) -> Band | None:
        """The band that `score` lies in; a score between two bands takes the lower."""
        inside = [band for band in self.bands if score >= band.low]
        return max(inside, key=lambda band: band.low, default=None)


def local_scale(code: str, *, system: str, low: float, high: float) -> Scale:
    """A diary item that no table knows, with the bounds that came with its data.

    Its direction is unknown and it has no bands, so it gets a forecast and no advice.
    """
    return Scale(
        key=f"diary:{code}",
        title=f"Diary item {code}",
        system=system,
        code=code,
        unit="{score}",
        low=low,
        high=high,
        higher_is_worse=None,
        cadence="daily",
        source="bounds sent with the data",
    )


@cache
def scales() -> Mapping[str, Scale]:
    """Every scale with a score, by its key: those that may be a series.

    Raises ValueError on a block that contradicts itself, naming the block.
    """
    table = known_scales().items()
    return MappingProxyType({k: one for k, one in table if not one.is_answer_only})


@cache
def known_scales() -> Mapping[str, Scale]:
    """Every scale of `tables/scales.toml` by its key, read once.

    Raises ValueError on a block that contradicts itself, naming the block.
    """
    table = files("backend.twin.tables").joinpath("scales.toml").read_bytes()
    return MappingProxyType(read_scales(table.decode()))


def read_scales(text: str) -> dict[str, Scale]:
    """Scales out of TOML text: one block per scale, named by the scale's key.

    Raises ValueError on a block that contradicts itself, naming the block.
    """
    table = {key: _scale(key, block) for key, block in tomllib.loads(text).items()}
    codes = [(item.system, item.code) for item in table.values()]
    if len(set(codes)) < len(codes):
        raise ValueError("scales.toml: two scales share one code")
    return table


def scale(key: str) -> Scale:
    """The scale of that key. Raises UnknownScale, saying which there are."""
    try:
        return known_scales()[key]
    except KeyError:
        raise UnknownScale(
            f"no scale of that key; the table has {', '.join(sorted(known_scales()))}"
        ) from None


def by_code(system: str, code: str) -> Scale | None:
    """The scale that a coding stands for; None where the table knows none."""
    return _codes().get((system, code))


def safety_scale(system: str, code: str) -> Scale | None:
    """The scale whose safety item a coding stands for; None where it is none."""
    return next(
        (
            one
            for one in known_scales().values()
            if one.safety_item
            and (one.safety_system, one.safety_item.code) == (system, code)
        ),
        None,
    )


@cache
def _codes() -> Mapping[tuple[str, str], Scale]:
    return {(item.system, item.code): item for item in known_scales().values()}


def _scale(key: str, block: Mapping[str, Any]) -> Scale:
    """One block; `Any` because TOML is typed by what the checks below ask of it."""
    fields = {"higher_is_worse": None, **_floats(block)}  # not said: not known
    bands = [_floats(band) for band in fields.pop("bands", ())]
    ranks = range(len(bands))
    if fields["higher_is_worse"] is False:
        ranks = ranks[::-1]  # the table lists bands by score, ranks run from mildest
    safety = fields.pop("safety_item", None)
    try:
        made = Scale(
            key=key,
            bands=tuple(
                Band(rank=rank, **band) for rank, band in zip(ranks, bands, strict=True)
            ),
            safety_item=safety_item(_floats(safety)) if safety else None,
            **fields,
        )
    except TypeError as error:
        raise ValueError(f"scales.toml [{key}]: {error}") from error
    _check(made)
    return made


def safety_item(fields: Mapping[str, Any]) -> SafetyItem:
    """A safety item out of its fields as TOML or JSON holds them."""
    return SafetyItem(**{**fields, "answers": tuple(fields.get("answers", ()))})


def _floats(block: Mapping[str, Any]) -> dict[str, Any]:
    """Scores are floats everywhere, however the table spells them; ages are not."""
    return {
        name: float(value) if type(value) is int and name not in _AGES else value
        for name, value in block.items()
    }


def _check(made: Scale) -> None:
    """Refuse what no reader of the table could have meant."""
    wrong = {
        "low must be below high": made.low >= made.high,
        "cadence is daily or questionnaire": made.cadence not in CADENCES,
        "bands must ascend and cover the scale": not _bands_fit(made),
        "bands need a direction": bool(made.bands) and made.higher_is_worse is None,
        "a change and its source come together": (made.important_change is None)
        != (made.change_source is None),
        "ages and their source come together": (made.youngest is made.oldest is None)
        != (made.ages_source is None),
        "youngest must not be above oldest": not _ages_fit(made),
        "a safety item's threshold must lie within its answers": not _item_fits(made),
    }
    for why, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(f"scales.toml [{made.key}]: {why}")


def _ages_fit(made: Scale) -> bool:
    return made.youngest is None or made.oldest is None or made.youngest <= made.oldest


def _item_fits(made: Scale) -> bool:
    item = made.safety_item
    return item is None or item.low <= item.above < item.high


def _bands_fit(made: Scale) -> bool:
    ends = [end for band in made.bands for end in (band.low, band.high)]
    covered = (ends[:1], ends[-1:]) == ([made.low], [made.high])
    return not ends or (covered and ends == sorted(ends))
