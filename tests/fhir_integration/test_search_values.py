from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_integration.search_values import (
    alternatives,
    escaped,
    parts_of_token,
    token,
)

TEXT = st.text(st.sampled_from("ab,|$\\ ü"), min_size=1)


def test_what_divides_is_escaped() -> None:
    assert escaped(r"a,b|c$d\e ü") == r"a\,b\|c\$d\\e ü"
    assert token("urn:x", "a|b") == r"urn:x|a\|b"


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_what_is_put_in_is_what_is_found(pairs: list[tuple[str, str]]) -> None:
    asked = ",".join(token(system, value) for system, value in pairs)
    found = [tuple(parts_of_token(one)) for one in alternatives(asked)]
    assert found == pairs


@pytest.mark.parametrize(
    ("stated", "parts"),
    [("x", ["x"]), ("s|", ["s", ""]), ("|x", ["", "x"]), ("s|a|b", ["s", "a", "b"])],
)
def test_a_token_has_the_parts_that_its_pipes_divide(
    stated: str, parts: list[str]
) -> None:
    assert parts_of_token(stated) == parts


@given(st.text())
def test_any_text_can_be_read(stated: str) -> None:
    for one in alternatives(stated):
        assert len(parts_of_token(one)) >= 1
