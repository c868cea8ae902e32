"""A variant that is a condition: seen among the genes, and never read as excluded."""

from __future__ import annotations

import pytest

from backend.twin.errors import CallRefused
from backend.twin.pharmacogenomics.calls import Call
from backend.twin.pharmacogenomics.carried import is_carried
from backend.twin.pharmacogenomics.phenotype import read_calls
from backend.twin.pharmacogenomics.report import Case, report


@pytest.mark.parametrize(
    ("call", "there"),
    [
        (Call("POLG", phenotype="Positive"), True),
        (Call("POLG", "A467T/W748S", "likely  pathogenic"), True),
        (Call("POLG", alleles=("detected", "negative")), True),
        (Call("POLG", phenotype="not detected"), False),
        (Call("POLG", "no call"), False),
    ],
)
def test_whether_a_variant_is_there(call: Call, there: bool) -> None:
    assert is_carried(call) is there


def test_what_cannot_be_read_is_refused_and_not_an_unknown_gene() -> None:
    call = Call("polg", "A467T/W748S", source="Observation/1")
    with pytest.raises(CallRefused, match="cannot be read"):
        is_carried(call)
    (refused,) = read_calls([call]).refused
    assert (refused.gene, refused.code) == ("POLG", "unread")
    assert refused.source == "Observation/1"


@pytest.mark.parametrize(
    ("phenotype", "said", "severity"),
    [
        ("positive", {}, "stop"),
        ("positive", {"polg": False}, "stop"),
        ("negative", {}, "monitor"),
    ],
)
def test_a_called_variant_bars_valproate(
    phenotype: str, said: dict[str, bool], severity: str
) -> None:
    call = Call("POLG", phenotype=phenotype)
    made = report(Case((call,), ("Depakote",), conditions=said))
    (stop,) = (one for one in made.stops if one.code == "valproate-polg")
    assert (stop.severity, made.refused) == (severity, ())
