"""What the correlation network takes and answers, column by column.

One row per symptom: the statistics of all its biometrics, absent ones zero. The prior
probability of a link is an input like any other, so that p(link) stays calibrated where
links are rarer than in the patients the network was trained on.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from backend.twin.correlation.lag_profile import (
    CHANNELS,
    PAIR_CONTEXT,
    SYMPTOM_CONTEXT,
    Profiles,
)

MODEL = "biometric_correlation"
TRANSFORMATION = 1  # counts changes of what a column means under the same name
BIOMETRICS = 12  # rows of the biometric axis; what is not there is zero
LAGS = tuple(range(-24, 73))  # hours, below zero where the symptom comes first
PRIOR_LINK = 0.5  # before the data, as in `examination.examine`

# Input arrays: [symptom, biometric, lag, column], [symptom, biometric, column] and
# [symptom, column].
COLUMNS = {
    "profiles": CHANNELS,
    "pairs": PAIR_CONTEXT,
    "symptoms": (*SYMPTOM_CONTEXT, "prior_log_odds"),
}
SHAPES = {
    "profiles": (BIOMETRICS, len(LAGS), len(CHANNELS)),
    "pairs": (BIOMETRICS, len(PAIR_CONTEXT)),
    "symptoms": (len(COLUMNS["symptoms"]),),
}
# The answer `links` [symptom, biometric, column]: p(link), the coefficient if there is
# a link, its spread (the central 90 % are mean ± 1.645 spread), and the probability of
# each lag if there is a link.
OUTPUT = "links"
ANSWER = ("p_link", "coefficient", "spread", *(f"lag_{lag}" for lag in LAGS))


def model_inputs(
    made: Profiles, *, prior_link: float = PRIOR_LINK
) -> dict[str, np.ndarray]:
    """The network's float32 arrays of a window's statistics, one row per symptom.

    Raises ValueError where the window has more biometrics or other lags than the
    network knows, and where `prior_link` is not between 0 and 1.
    """
    symptoms, biometrics = made.values.shape[:2]
    if biometrics > BIOMETRICS:
        raise ValueError(f"{biometrics} biometrics, at most {BIOMETRICS} are taken")
    if tuple(made.lags.tolist()) != LAGS:
        raise ValueError("the lags are not those of the network")
    if not 0 < prior_link < 1:
        raise ValueError("a prior probability lies between 0 and 1")
    found = {n: np.zeros((symptoms, *s), np.float32) for n, s in SHAPES.items()}
    found["profiles"][:, :biometrics] = made.values.transpose(0, 1, 3, 2)
    found["pairs"][:, :biometrics] = made.pairs
    found["symptoms"][:, :-1] = made.symptoms
    found["symptoms"][:, -1] = np.log(prior_link / (1 - prior_link))
    return found


def schema_hash() -> str:
    """SHA-256 of everything that two sides must share to understand each other."""
    whole = [TRANSFORMATION, LAGS, BIOMETRICS, COLUMNS, OUTPUT, ANSWER]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
