from __future__ import annotations

import pytest

from backend.twin.errors import EhrMalformed
from fhir_integration import strict_json
from fhir_integration.strict_json import parse


def test_an_object_is_parsed() -> None:
    assert parse(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[1]",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e400}',
        b'{"a": 1',
        b'{"a": "\\ud800"}',
        b"\xff\xfe{}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
)
def test_what_is_not_strict_is_refused_without_quoting_it(raw: bytes) -> None:
    with pytest.raises(EhrMalformed, match=r"^the EHR's answer is not") as caught:
        parse(raw)
    assert caught.value.__cause__ is None


def test_of_repeated_keys_the_last_counts() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_json, "MAX_BYTES", 10)
    with pytest.raises(EhrMalformed, match="larger than the limit"):
        parse(b'{"a": "0123456789"}')
