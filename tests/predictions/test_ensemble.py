"""Which models may answer."""

from __future__ import annotations

import pytest

from backend.predictions.ensemble import approved
from backend.registry.services import register
from tests.predictions.fakes import Version, card

WEIGHTS = {"symptom_transformer": 0.7}


def put(**fields):
    one = Version("symptom_transformer", 4, "a" * 64, card(**fields))
    register(actor="system:test", versions=[one])


def test_a_model_that_beats_the_climatology_gets_its_weight(db):
    put()
    use = approved(WEIGHTS)["symptom_transformer"]
    assert (use.version, use.weight) == (4, 0.7)


@pytest.mark.parametrize(
    ("fields", "weights"),
    [
        ({"daily": False}, WEIGHTS),
        ({"feature_schema_hash": "another"}, WEIGHTS),
        ({}, {}),
        ({}, {"symptom_transformer": 0.0}),
    ],
    ids=["worse", "other features", "no weight", "weight zero"],
)
def test_others_are_left_out(db, fields, weights):
    put(**fields)
    assert approved(weights) == {}
