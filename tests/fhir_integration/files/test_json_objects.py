"""A file cut into its objects, whatever its layout and wherever its chunks end."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_integration.files import json_objects
from fhir_integration.files.data_points import NotRead
from fhir_integration.files.json_objects import objects

TWO = [b'{"a": "}]{[\\""}', b'{"b": [{}, [1]]}']


@pytest.fixture(params=[1, 2, 7, 64 * 1024])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(json_objects, "_CHUNK", request.param)
    return int(request.param)


def read(raw: bytes, **limit: int) -> list[bytes]:
    return list(objects(io.BytesIO(raw), **limit))


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize(
    "layout",
    [
        b"%b\n%b\n",
        b"%b%b",
        b"[%b,%b]",
        b"\xef\xbb\xbf[\n  %b,\n  %b\n]\n",
        b"\r\n %b \t %b",
    ],
)
def test_every_layout_gives_the_same_objects(layout: bytes) -> None:
    assert read(layout % tuple(TWO)) == TWO


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("raw", [b"", b"  \n", b"[]", b"[ ]\n"])
def test_nothing_is_nothing(raw: bytes) -> None:
    assert read(raw) == []


BETWEEN = "something else stands between its objects"


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize(
    ("raw", "said", "before"),
    [
        (b"{} x {}", BETWEEN, 1),
        (b"{} x", BETWEEN, 1),
        (b"[{}, 7]", BETWEEN, 1),
        (b'[{}, "x"]', BETWEEN, 1),
        (b'"x"', BETWEEN, 0),
        (b"{}]", BETWEEN, 1),
        (b"[{}}", BETWEEN, 1),
        (b"{} [{}]", BETWEEN, 1),
        (b"[{}] [{}]", BETWEEN, 1),
        (b'{"a": 1', "ends within an object", 0),
        (b'{"a": "', "ends within an object", 0),
        (b"[{},", "ends within an object", 1),
        (b'{} "x', BETWEEN, 1),
    ],
)
def test_what_is_no_list_of_objects_is_refused_after_what_is(
    raw: bytes, said: str, before: int
) -> None:
    reader = objects(io.BytesIO(raw))
    assert [next(reader) for _ in range(before)] == [b"{}"] * before
    with pytest.raises(NotRead, match=said):
        next(reader)


@pytest.mark.usefixtures("chunk")
def test_an_object_beyond_the_limit_ends_the_reading() -> None:
    long = b'{"a": "' + b"x" * 200_000 + b'"}'
    assert read(b"[%b]" % long) == [long]
    with pytest.raises(NotRead, match="too large"):
        read(b"[%b]" % long, largest=1000)


@given(st.lists(st.dictionaries(st.text(), st.text() | st.lists(st.text()))))
def test_it_finds_what_json_finds(values: list[dict[str, object]]) -> None:
    raw = json.dumps(values, ensure_ascii=False).encode(errors="replace")
    assert [json.loads(one) for one in read(raw)] == json.loads(raw)


@given(st.binary(max_size=60), st.text('[]{}",\\ a1', max_size=60))
def test_nothing_but_a_refusal_comes_of_any_bytes(raw: bytes, text: str) -> None:
    for one in (raw, text.encode()):
        try:
            read(one)
        except NotRead as refusal:
            assert "not JSON" in str(refusal)
