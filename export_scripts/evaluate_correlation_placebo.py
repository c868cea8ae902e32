"""False findings where no link is possible: another person's symptoms.

The benchmark's placebo windows, all of them; an interval over people, who are drawn
anew as wearers and as reporters at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from export_scripts.evaluate_correlation_bench import Bench, Predictor
from export_scripts.markdown import share, table

NOMINAL = 0.05  # of the pairs, the rate that the classical tests were set to
DRAWS = 2000
SEED = 20_261_125
CASES = (("lifesnaps", 60), ("pmdata", 30), ("pmdata", 90))
Window = tuple[str, str, int, int]  # wearer, reporter, published, pairs


def asked(found: Bench, ask: Predictor, name: str, days: int) -> list[Window]:
    """What is published as a direct link, window by window."""
    placebo = found.placebo
    plan = placebo.PLANS[name]
    wearers = placebo.load_biometrics(found.data / f"{name}.csv", plan)
    reporters = placebo.load_symptoms(found.data / f"{name}_symptoms.csv", plan)
    told: list[Window] = []
    for wearer, reporter in placebo.pairs(plan, wearers, reporters, own=False):
        for patient in placebo.windows(
            plan, wearers[wearer], reporters[reporter], days
        ):
            wrong = sum(bool(f[8]) and f[7] is not False for f in ask(patient))
            pairs = len(patient.biometrics) * len(patient.symptoms)
            told.append((wearer, reporter, int(wrong), pairs))
    return told


def rate(windows: Sequence[Window]) -> tuple[float, float, float]:
    """Share of pairs published, with its 95 % interval over people.

    A window weighs as often as its wearer and its reporter are drawn, multiplied: both
    may make windows alike (Owen 2007, the pigeonhole bootstrap).
    """
    people = sorted({name for window in windows for name in window[:2]})
    at = {name: index for index, name in enumerate(people)}
    wearer = np.array([at[w[0]] for w in windows])
    reporter = np.array([at[w[1]] for w in windows])
    wrong = np.array([w[2] for w in windows], float)
    pairs = np.array([w[3] for w in windows], float)
    rng = np.random.default_rng(SEED)
    even = np.full(len(people), 1 / len(people))
    drawn = rng.multinomial(len(people), even, size=DRAWS)
    weight = drawn[:, wearer] * drawn[:, reporter]
    with np.errstate(invalid="ignore"):  # a draw may hold no window at all
        rates = (weight @ wrong) / (weight @ pairs)
    low, high = np.nanquantile(rates, [0.025, 0.975])
    return float(wrong.sum() / pairs.sum()), float(low), float(high)


def section(cases: Mapping[tuple[str, int], Sequence[Window]]) -> list[str]:
    """A row per data set and length; holds where the interval reaches the nominal."""
    rows, above = [], []
    for (name, days), windows in cases.items():
        if not windows:
            rows.append([name, str(days), "0", ".", ".", ".", "."])
            continue
        point, low, high = rate(windows)
        people = len({n for window in windows for n in window[:2]})
        pairs = sum(window[3] for window in windows)
        said = f"{share(point)} [{share(low)}, {share(high)}]"
        holds = "yes" if low <= NOMINAL else "no"
        above += [f"{name} {days} d"] if low > NOMINAL else []
        told = (len(windows), pairs, people)
        rows.append([name, str(days), *map(str, told), said, holds])
    verdict = f"Above the nominal rate: {', '.join(above)}." if above else ""
    return [
        "## Real placebo",
        "",
        "One person's wearable with the symptoms another person reported on the same",
        "dates, every window that the benchmark's rules admit: all that is published",
        "is false. Per cent of pairs published as direct links, with a 95 % interval",
        "over people; *holds* where it does not lie above the nominal "
        f"{share(NOMINAL)} %.",
        "",
        *table(
            ["data", "days", "windows", "pairs", "people", "published, %", "holds"],
            rows,
        ),
        *([verdict, ""] if verdict else []),
    ]
