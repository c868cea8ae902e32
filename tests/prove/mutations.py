"""Real resources, bent: what a careless, old or hostile system might send.

A mutant is a real resource with one to four changes that know FHIR's shapes: a date
becomes another wrong date, a value[x] another type, a list a scalar. Whatever names
the patient is a canary, so that it can be looked for in what must not quote it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from random import Random
from typing import Any

from tests.prove.odd import (
    BROKEN,
    CANARY,
    CANARY_NUMBER,
    DATES,
    KINDS,
    NUMBERS,
    OFTEN,
    REFERENCES,
    STATUS,
    TEXTS,
    UNITS,
    VALUES,
    Json,
)
from tests.prove.real import Place, canaried, places


class Mutants:
    """An endless supply of mutants, the same for the same seed."""

    def __init__(
        self,
        resources: list[Json],
        seed: int,
        *,
        tells: Callable[[Json], str] = lambda _: "",
    ) -> None:
        """Half of the mutants are of resources that tell something unbent.

        `tells` names it, or is empty; each name has the same share. Most real resources
        are refused at a first look, and bending those finds little.
        """
        self._random = Random(seed)
        self._all = _groups(resources, lambda one: str(one.get("resourceType")))
        self._telling = _groups(resources, tells)
        self._telling.pop("", None)
        self.applied: Counter[str] = Counter()

    def one(self, kind: str | None = None) -> tuple[Json, tuple[str, ...]]:
        """A mutant and the names of its mutations; of `kind` if that is given."""
        random = self._random
        telling = self._telling and random.random() < 0.5 and not kind
        pool = self._telling if telling else self._all
        weights = [20 if group in OFTEN or telling else 1 for group in pool]
        chosen = kind or random.choices(list(pool), weights)[0]
        resource = canaried(random.choice(pool[chosen]))
        names = tuple(self._bend(resource) for _ in range(random.choice((1, 1, 2, 4))))
        return resource, names

    def _bend(self, resource: Json) -> str:
        """One mutation that finds a place which fits it; returns its name."""
        found = list(places(resource))
        for name, (fits, mutation) in self._random.sample(
            _MUTATIONS, k=len(_MUTATIONS)
        ):
            fitting = [place for place in found if fits(place)]
            if fitting:
                # Half of the time near the root, where most readers look.
                near = self._random.random() < 0.5
                pool = fitting[: len(fitting) // 4 + 1] if near else fitting
                mutation(self._random.choice(pool), self._random)
                self.applied[name] += 1
                return name
        return "nothing left to bend"

    def text(self, resource: Json) -> bytes:
        """The mutant as it comes over the wire; one in fifty broken as a text too."""
        raw = json.dumps(resource, ensure_ascii=self._random.random() < 0.5).encode(
            errors="surrogatepass"
        )
        if self._random.random() < 0.02:
            self.applied["broken text"] += 1
            return self._random.choice(BROKEN)(raw)
        return raw


def _groups(
    resources: Iterable[Json], name: Callable[[Json], str]
) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = defaultdict(list)
    for resource in resources:
        found[name(resource)].append(resource)
    return dict(sorted(found.items()))


def _any(_: Place) -> bool:
    return True


def _key(*names: str) -> Callable[[Place], bool]:
    return lambda place: place.key in names


def _is(*types: type) -> Callable[[Place], bool]:
    return lambda place: isinstance(place.value, types)


def _in_object(place: Place) -> bool:
    return isinstance(place.inside, dict)


def _is_date(place: Place) -> bool:
    value = place.value
    return isinstance(value, str) and value[:4].isdigit() and len(value) >= 4


def _is_value(place: Place) -> bool:
    return isinstance(place.key, str) and place.key.startswith(("value", "effective"))


def _from(choices: tuple[Any, ...] | list[str]) -> Callable[[Place, Random], None]:
    return lambda place, random: place.put(deepcopy(random.choice(choices)))


def _drop(place: Place, _: Random) -> None:
    del place.inside[place.key]


def _rename(place: Place, random: Random) -> None:
    names = (
        "Status",
        "_" + str(place.key),
        str(place.key).upper(),
        CANARY,
        "",
        "value",
    )
    place.inside[random.choice(names)] = place.inside.pop(place.key)


def _double(place: Place, random: Random) -> None:
    if isinstance(place.inside, list):
        place.inside.extend([place.value] * random.choice((1, 2, 200)))
    else:
        place.inside[f"{place.key}2"] = deepcopy(place.value)


def _nest(place: Place, random: Random) -> None:
    value = place.value
    for _ in range(random.choice((1, 2, 5, 60, 200, 300))):
        value = [value] if random.random() < 0.5 else {str(place.key): value}
    place.put(value)


def _wrap(place: Place, _: Random) -> None:
    value = place.value
    place.put(value[0] if isinstance(value, list) and value else [value])


def _swap(place: Place, random: Random) -> None:
    """Two values of one object change places."""
    other = random.choice(list(place.inside))
    place.inside[other], place.inside[place.key] = place.value, place.inside[other]


def _again(place: Place, random: Random) -> None:
    """A second value[x] beside the first."""
    place.inside[random.choice(VALUES)] = random.choice((place.value, 3, "3", {}, []))


def _as_other(place: Place, random: Random) -> None:
    """The value under the name of another type."""
    place.inside[random.choice(VALUES)] = place.inside.pop(place.key)


def _spaced(place: Place, random: Random) -> None:
    text = str(place.value)
    forms = (f" {text}", f"{text} ", f"{text[:2]} {text[2:]}", f"{text}\t", text * 2)
    place.put(random.choice((*forms, text.upper(), text + "\u200b", text[::-1])))


def _contain(place: Place, _: Random) -> None:
    """The thing inside itself, and a reference to that."""
    inner = {
        "id": "x",
        "resourceType": "Medication",
        "ingredient": deepcopy(place.value),
    }
    place.inside["contained"] = [inner, {"id": "x"}, inner]
    place.put({"reference": "#x"})


def _unknown(place: Place, random: Random) -> None:
    place.inside[CANARY] = {CANARY: random.choice((CANARY, CANARY_NUMBER))}


def _modify(place: Place, _: Random) -> None:
    """An extension that changes the meaning."""
    place.inside["modifierExtension"] = [{"url": f"urn:{CANARY}", "valueBoolean": True}]


_Mutation = tuple[Callable[[Place], bool], Callable[[Place, Random], None]]
_MUTATIONS: list[tuple[str, _Mutation]] = [
    ("key dropped", (_in_object, _drop)),
    ("element dropped", (_any, _drop)),
    ("key renamed", (_in_object, _rename)),
    ("doubled", (_any, _double)),
    ("null", (_any, _from((None,)))),
    ("boolean", (_any, _from((True, False)))),
    ("empty", (_any, _from(([], {}, "", [[]], [{}], [None], {"": {}})))),
    ("number", (_any, _from(NUMBERS))),
    ("number for a number", (_is(int, float), _from(NUMBERS))),
    ("text", (_any, _from(TEXTS))),
    ("text for a text", (_is(str), _from(TEXTS))),
    ("nested", (_any, _nest)),
    ("wrong date", (_is_date, _from(DATES))),
    ("another reference", (_key("reference"), _from(REFERENCES))),
    ("list or scalar", (_any, _wrap)),
    ("values swapped", (_in_object, _swap)),
    ("another status", (_key("status"), _from(STATUS))),
    ("another unit", (_key("unit", "code"), _from(UNITS))),
    ("code with spaces", (_key("code"), _spaced)),
    ("code system", (_key("system", "url"), _from(REFERENCES))),
    ("second value[x]", (_is_value, _again)),
    ("value[x] of another type", (_is_value, _as_other)),
    ("contained", (_in_object, _contain)),
    ("another resourceType", (_key("resourceType"), _from(KINDS))),
    ("unknown key", (_in_object, _unknown)),
    ("modifier extension", (_in_object, _modify)),
]
