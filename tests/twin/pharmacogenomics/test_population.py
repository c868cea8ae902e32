"""Which groups of a guideline a person may be in; unknown rules nothing out."""

from __future__ import annotations

import pytest

from backend.twin.pharmacogenomics.population import Population, fitting

CBZ = ("CBZ naive", "CBZ use >3mos", "CBZ-no alternatives")
PHT = ("PHT naive", "PHT use >3mos")
AGES = ("adults", "pediatrics")
NAIVE = {"carbamazepine": "naive"}
LONG = {"carbamazepine": "over_3_months"}


@pytest.mark.parametrize(
    ("names", "who", "expected"),
    [
        (("general",), Population(), ("general",)),
        (
            ("general",),
            Population(17, LONG, alternatives_available=False),
            ("general",),
        ),
        (AGES, Population(), AGES),
        (AGES, Population(age_years=17), ("pediatrics",)),
        (AGES, Population(age_years=18), ("adults",)),
        (CBZ, Population(), CBZ),
        (CBZ, Population(prior_use=NAIVE), (CBZ[0], CBZ[2])),
        (CBZ, Population(prior_use=LONG), (CBZ[1],)),
        (CBZ, Population(alternatives_available=True), (CBZ[0], CBZ[1])),
        (CBZ, Population(alternatives_available=False), (CBZ[1], CBZ[2])),
        (CBZ, Population(None, NAIVE, alternatives_available=True), (CBZ[0],)),
        (CBZ, Population(None, NAIVE, alternatives_available=False), (CBZ[2],)),
        (CBZ, Population(None, LONG, alternatives_available=False), (CBZ[1],)),
        (CBZ, Population(prior_use={"carbamazepine": "two weeks"}), CBZ),
        (CBZ, Population(prior_use={"phenytoin": "naive"}), CBZ),
        (PHT, Population(alternatives_available=False), PHT),
    ],
)
def test_groups_that_may_be_theirs(
    names: tuple[str, ...], who: Population, expected: tuple[str, ...]
) -> None:
    assert fitting(names, who, "carbamazepine") == expected


@pytest.mark.parametrize("asked", ["phenytoin", "fosphenytoin"])
@pytest.mark.parametrize("taken", ["phenytoin", "fosphenytoin"])
def test_use_of_phenytoin_is_use_of_its_prodrug(asked: str, taken: str) -> None:
    who = Population(prior_use={taken: "over_3_months"})
    assert fitting(PHT, who, asked) == ("PHT use >3mos",)
