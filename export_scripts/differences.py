"""How far the served path is from each plain baseline; whether its intervals hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from export_scripts import bootstrap
from export_scripts.bootstrap import KEYS, Drawn, Interval
from export_scripts.markdown import share, table
from export_scripts.real_windows import OURS, PLAIN, REFERENCE, Answered, people

LOSSES = ("wql", "crps", "mae", "is80", "is95")
NOMINAL = {"cov80": 0.80, "cov95": 0.95}
LEEWAY = 0.02  # nominal may lie this far outside the interval
LEAST_PATIENTS = 10  # a data set with fewer says little of significance
COVERAGE_HEAD = [
    *["data set", "patients", "cov80", "holds", "cov95", "holds"],
    *["wql lower by, %", "worse"],
]


def difference_section(asked: Answered) -> list[str]:
    """Pooled differences to every plain baseline, with intervals over patients."""
    all_drawn = {name: bootstrap.drawn(frame) for name, frame in asked.scores.items()}
    ours = all_drawn[OURS]
    rows = [
        [name, *(str(bootstrap.lower(ours, all_drawn[name], m)) for m in LOSSES)]
        for name in PLAIN
    ]
    return [
        "## Differences to the plain baselines",
        "",
        people(asked.windows) + " Per cent by which MindTwin is lower than each, with "
        "a 95 % interval over patients (paired bootstrap, "
        f"{bootstrap.DRAWS} draws within the data sets); negative is worse.",
        "",
        *table(["than", *LOSSES], rows),
        *_coverage(asked, ours, all_drawn[REFERENCE]),
    ]


def holds(found: Interval, nominal: float) -> bool:
    """Whether the nominal coverage lies within the interval and its leeway."""
    return found.low - LEEWAY <= nominal <= found.high + LEEWAY


def worse(found: Interval, patients: int) -> str:
    """Whether a data set is significantly worse; few patients cannot tell."""
    if patients < LEAST_PATIENTS:
        return f"fewer than {LEAST_PATIENTS} patients"
    return "yes" if found.high < 0 else "no"


def _coverage(asked: Answered, ours: Drawn, theirs: Drawn) -> list[str]:
    covered = {m: bootstrap.each(ours, m) for m in NOMINAL}
    paired = bootstrap.each_lower(ours, theirs, "wql")
    rows = list(_rows(ours, covered, paired))
    within = sum(row[3] == row[5] == "yes" for row in rows)
    losing = [row[0] for row in rows if row[7] == "yes"]
    pooled = {m: bootstrap.pooled(ours, m) for m in NOMINAL}
    return [
        "## Coverage, and each data set",
        "",
        f"{people(asked.windows)} Per cent of days inside the interval, with a 95 % "
        "interval over patients; *holds* where the nominal figure lies within that "
        f"interval ± {100 * LEEWAY:.0f} points. The last columns: per cent by which "
        f"wql is lower than {REFERENCE}'s, and whether it is significantly worse.",
        "",
        *table(
            COVERAGE_HEAD,
            [*rows, ["**all alike**", "", *_pooled(pooled), "", ""]],
        ),
        f"Both coverages hold in {within} of {len(rows)} data sets. Significantly "
        f"worse than {REFERENCE}: {', '.join(losing) or 'none'}.",
        "",
        *_spread(asked),
    ]


def _rows(
    ours: Drawn,
    covered: Mapping[str, Mapping[str, Interval]],
    paired: Mapping[str, Interval],
) -> Iterator[list[str]]:
    for name, patients in zip(ours.datasets, ours.patients, strict=True):
        cells = [name, str(patients)]
        for metric, nominal in NOMINAL.items():
            found = covered[metric][name]
            cells += [_shares(found), "yes" if holds(found, nominal) else "no"]
        yield [*cells, _difference(paired[name]), worse(paired[name], patients)]


def _pooled(pooled: Mapping[str, Interval]) -> Iterator[str]:
    for metric, nominal in NOMINAL.items():
        yield _shares(pooled[metric])
        yield "yes" if holds(pooled[metric], nominal) else "no"


def _shares(found: Interval) -> str:
    if found.low == found.high:
        return f"{share(found.point)} (one patient)"
    return f"{share(found.point)} [{share(found.low)}, {share(found.high)}]"


def _difference(found: Interval) -> str:
    return str(found) if found.low < found.high else f"{found.point:+.2f} (one patient)"


def _spread(asked: Answered) -> list[str]:
    """How different single series are: half of what pooled coverage hides."""
    words = []
    for name in (OURS, REFERENCE):
        series = asked.scores[name].groupby(KEYS)["cov80"].mean()
        tenth, middle, ninth = np.quantile(series, [0.1, 0.5, 0.9])
        words.append(f"{name} {share(tenth)} / {share(middle)} / {share(ninth)}")
    return [
        f"Of {len(series)} single series, every one alike, the 10th, 50th and 90th "
        f"percentile of cov80: {'; '.join(words)}.",
        "",
    ]
