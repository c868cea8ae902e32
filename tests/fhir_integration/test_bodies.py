from __future__ import annotations

import gzip
import tracemalloc
import zlib

import httpx
import pytest

from backend.twin.errors import EhrMalformed
from fhir_integration.connection import Connection
from tests.fhir_integration.made import BASE, Time

JSON = b'{"resourceType": "Bundle", "entry": []}'
LIMIT = 1024 * 1024


def gz(plain: bytes) -> bytes:
    """Without the time of packing: a test's name must not change with the clock."""
    return gzip.compress(plain, mtime=0)


def body(packing: str | None, packed: bytes, pieces: int = 1) -> bytes:
    """The body as a connection reads it, sent in that many pieces."""
    size = -(-len(packed) // pieces) or 1

    class Sent(httpx.SyncByteStream):
        def __iter__(self):
            for start in range(0, len(packed), size):
                yield packed[start : start + size]

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        headers = {} if packing is None else {"Content-Encoding": packing}
        return httpx.Response(200, headers=headers, stream=Sent())

    to = Connection(
        BASE,
        token=None,
        timeout_s=1,
        transport=httpx.MockTransport(handler),
        clock=Time().clock(),
        max_bytes=LIMIT,
    )
    return to.send("GET", to.url("Observation"), until=60.0).content


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
@pytest.mark.parametrize("plain", [JSON, b"", b"0" * LIMIT, JSON * 20_000])
def test_one_gzip_is_unpacked(plain: bytes, pieces: int) -> None:
    assert body("GZip", gz(plain), pieces) == plain
    assert body("identity", plain, pieces) == body(None, plain, pieces) == plain


def test_a_packed_answer_of_nothing_is_nothing() -> None:
    assert body("gzip", b"") == b""


@pytest.mark.parametrize(
    "packing", ["gzip, gzip", "gzip,identity", "deflate", "br", "zstd", "x"]
)
def test_any_other_packing_is_refused_before_it_is_read(packing: str) -> None:
    with pytest.raises(EhrMalformed, match="not asked for"):
        body(packing, gz(gz(JSON)))


@pytest.mark.parametrize(
    "packed",
    [
        b"not gzip",
        zlib.compress(JSON),
        gz(JSON)[:-1],
        gz(JSON)[:12],
        gz(JSON)[:-8] + bytes(8),
        gz(JSON) + b"more",
    ],
)
@pytest.mark.parametrize("pieces", [1, 7])
def test_what_does_not_unpack_is_malformed(packed: bytes, pieces: int) -> None:
    with pytest.raises(EhrMalformed, match="cannot be decoded"):
        body("gzip", packed, pieces)


@pytest.mark.parametrize("pieces", [1, 100])
def test_a_bomb_takes_no_more_memory_than_the_limit(pieces: int) -> None:
    bomb = gz(bytes(200 * LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(EhrMalformed, match="larger than the limit"):
            body("gzip", bomb, pieces)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT


def test_a_plain_answer_beyond_the_limit_is_refused() -> None:
    with pytest.raises(EhrMalformed, match="larger than the limit"):
        body(None, bytes(LIMIT + 1), pieces=3)
