from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.errors import EhrMalformed
from fhir_integration import strict_json
from fhir_integration.strict_json import MAX_DEPTH, JsonFault, NotStrict, parse

DEEP = MAX_DEPTH + 1


def fault(raw: bytes) -> JsonFault:
    with pytest.raises(NotStrict) as caught:
        parse(raw)
    assert caught.value.__cause__ is None
    assert str(caught.value) == (
        f"the EHR's answer is not strict JSON: {caught.value.fault}"
    )
    return caught.value.fault


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": {"b": 1}, "c": {"b": 1}}', {"a": {"b": 1}, "c": {"b": 1}}),
        (b'{"a" \n:"x : y \\" :"}', {"a": 'x : y " :'}),
        (b'{"a": "\\u003a \\u0022:"}', {"a": ': ":'}),
        (b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a": "\\\\\\\\u0000"}', {"a": "\\\\u0000"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": 1.7976931348623157e308}', {"a": 1.7976931348623157e308}),
        (b'{"a": 1e-400}', {"a": 0.0}),
    ],
)
def test_a_strict_object_is_parsed(raw: bytes, value: object) -> None:
    assert parse(raw) == value


def test_the_deepest_object_allowed_is_parsed() -> None:
    assert parse(b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": "\xff"}', JsonFault.NOT_UTF8),
        (b'{"a": "\xed\xa0\x80"}', JsonFault.NOT_UTF8),
        (b"\xff\xfe{}", JsonFault.NOT_UTF8),
        (b'{"a": "\0"}', JsonFault.NUL),
        (b"\0{}", JsonFault.NUL),
        (b'{"a": "\\u0000"}', JsonFault.NUL),
        (b'{"a\\u0000": 1}', JsonFault.NUL),
        (b'{"a": "\\\\\\u0000"}', JsonFault.NUL),
        (b'{"a":' * DEEP + b"1" + b"}" * DEEP, JsonFault.TOO_DEEP),
        (b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}", JsonFault.TOO_DEEP),
        (b"[" * 100_000, JsonFault.TOO_DEEP),
        (b'{"a": NaN}', JsonFault.NOT_FINITE),
        (b'{"a": Infinity}', JsonFault.NOT_FINITE),
        (b'{"a": -Infinity}', JsonFault.NOT_FINITE),
        (b'{"a": 1e400}', JsonFault.NUMBER_TOO_LARGE),
        (b'{"a": -1e400}', JsonFault.NUMBER_TOO_LARGE),
        (b'{"a": ' + b"9" * 5_000 + b"}", JsonFault.NUMBER_TOO_LARGE),
        (b'{"a": "\\ud800"}', JsonFault.LONE_SURROGATE),
        (b'{"a": "\\udc00\\ud800"}', JsonFault.LONE_SURROGATE),
        (b'{"a": 1, "a": 2}', JsonFault.DUPLICATE_KEY),
        (b'{"a": 1, "a": 1}', JsonFault.DUPLICATE_KEY),
        (b'{"a" : 1, "a": "::"}', JsonFault.DUPLICATE_KEY),
        (b'{"a": [{"b": {"c": 1, "c": 2}}]}', JsonFault.DUPLICATE_KEY),
        (b'{"a": 1, "\\u0061": 2}', JsonFault.DUPLICATE_KEY),
        (b'{"x": "\\u003a", "a": 1, "a": 2}', JsonFault.DUPLICATE_KEY),
        (b"[1]", JsonFault.NOT_AN_OBJECT),
        (b'"text"', JsonFault.NOT_AN_OBJECT),
        (b"1", JsonFault.NOT_AN_OBJECT),
        (b"null", JsonFault.NOT_AN_OBJECT),
        (b"", JsonFault.SYNTAX),
        (b'{"a": 1', JsonFault.SYNTAX),
        (b'{"a": 1,}', JsonFault.SYNTAX),
        (b'{"a": 01}', JsonFault.SYNTAX),
        (b"{'a': 1}", JsonFault.SYNTAX),
        (b'{"a": "\x01"}', JsonFault.SYNTAX),
        (b'{"a": "[[[', JsonFault.SYNTAX),
        (b'{"a": 1}{"a": 1}', JsonFault.SYNTAX),
        (b"\xef\xbb\xbf" * 2 + b"{}", JsonFault.SYNTAX),
    ],
)
def test_each_fault_is_refused_by_its_name(raw: bytes, expected: JsonFault) -> None:
    assert fault(raw) is expected


def test_every_fault_is_an_answer_that_fhir_does_not_promise() -> None:
    with pytest.raises(EhrMalformed, match="names a key twice"):
        parse(b'{"secret": 1, "secret": 2}')


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse(b'{"a": 1}', max_bytes=8) == {"a": 1}
    with pytest.raises(NotStrict, match="larger than the limit"):
        parse(b'{"a": 1}', max_bytes=7)
    monkeypatch.setattr(strict_json, "MAX_BYTES", 10)
    assert fault(b'{"a": "0123456789"}') is JsonFault.TOO_LARGE


def test_a_bomb_of_brackets_is_refused_at_the_limit_of_depth() -> None:
    began = time.process_time()
    assert fault(b"[" * strict_json.MAX_OPENED) is JsonFault.TOO_DEEP
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a":[%s]}' % b",".join([b"{}"] * 7), JsonFault.TOO_MANY),
        (b'{"a":[%s]}' % b",".join([b"[]"] * 7), JsonFault.TOO_MANY),
        (b'{"a":[%s]}' % b",".join([b"1"] * 11), JsonFault.TOO_MANY),
        (b'{"a":[%s]}' % b",".join([b"{}"] * 5), None),
        (b'{"a":[%s]}' % b",".join([b"1"] * 9), None),
    ],
)
def test_the_number_of_values_is_bounded_before_they_take_memory(
    monkeypatch: pytest.MonkeyPatch, raw: bytes, expected: JsonFault | None
) -> None:
    monkeypatch.setattr(strict_json, "MAX_OPENED", 8)
    monkeypatch.setattr(strict_json, "MAX_VALUES", 11)
    if expected is None:
        assert parse(raw)
    else:
        assert fault(raw) is expected


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=':"\\ \tué\x01', max_size=6),
)
OBJECTS = st.dictionaries(
    st.text(alphabet=':"\\ é', max_size=3),
    st.recursive(
        LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ),
)


@given(OBJECTS, st.booleans(), st.sampled_from([None, 2]))
def test_whatever_python_writes_is_parsed_unless_a_key_comes_again(
    value: dict[str, object], plain: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=plain, indent=indent)
    if "\\u0000" not in text:
        assert parse(text.encode()) == value
    again = f'{text.rstrip()[:-1].rstrip()}{"," if value else ""} "k" : 1, "k": 2}}'
    with pytest.raises(NotStrict) as caught:
        parse(again.encode())
    assert caught.value.fault in {JsonFault.DUPLICATE_KEY, JsonFault.NUL}


@given(st.binary(max_size=60))
def test_any_bytes_are_parsed_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(parse(b'{"a":' + raw + b"}"), dict)
    except NotStrict as refusal:
        assert refusal.fault in JsonFault
