from __future__ import annotations

import pytest

from backend.twin.scales import scale
from fhir_integration.codes import UCUM
from fhir_integration.units import is_score

CONTRADICTING: list[object] = [
    *("T-score", "t score", "Z_score", "T", "{T}", "percentile", "Per cent", "mean"),
    *("standard score", "mg", "/min", "hours", "mm[Hg]", "stanine", 5, []),
]


@pytest.mark.parametrize(
    "quantity",
    [
        {},
        {"unit": "{score}"},
        {"unit": "Points"},
        {"unit": " score "},
        {"code": "1", "system": UCUM},
        {"code": "1", "system": UCUM, "unit": "score"},  # as the AUDIT-C comes
        {"code": "{score}", "system": UCUM, "unit": "whatever is printed"},
        {"code": "{score}"},
        {"code": "{score}", "unit": "Punkte"},
        {"code": "1", "unit": "total score"},
    ],
)
def test_a_count_of_points_is_a_score(quantity: dict[str, object]) -> None:
    assert is_score(quantity, scale("phq9"))


@pytest.mark.parametrize(
    "quantity",
    [
        {"unit": "mg"},
        {"unit": "%"},
        {"unit": "/min"},
        {"unit": "beats/minute", "code": "/min", "system": UCUM},
        {"code": "%", "system": UCUM, "unit": "{score}"},
        {"unit": 5},
        {"code": "mm[Hg]", "system": UCUM, "unit": "score"},
        {"code": "{score}", "system": "http://example.org/units"},
        {"code": 1, "system": UCUM},
        {"code": [], "system": UCUM},
        {"code": "", "system": UCUM},
        {"code": "{T-score}", "system": UCUM, "unit": "{score}"},
        {"code": "{ScoreOf}", "system": UCUM},
        {"code": "{a}{b}", "system": UCUM},
        {"unit": "{T-score}"},
        {"code": "1", "system": UCUM, "unit": "%"},
        *({"code": "{score}", "unit": unit} for unit in CONTRADICTING),
    ],
)
def test_any_other_unit_is_refused(quantity: dict[str, object]) -> None:
    assert not is_score(quantity, scale("phq9"))
