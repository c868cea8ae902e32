"""The body of an answer: packed once at most, unpacked in small pieces up to a limit.

A few kilobytes can unpack to gigabytes, and packing packed data multiplies that.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

import httpx

from backend.twin.errors import EhrMalformed

_AT_ONCE = 64 * 1024  # bytes unpacked before the limit is looked at again
_GZIP_ONLY = 31  # zlib's wbits: a gzip header and trailer, nothing else
_GZIP = frozenset({"gzip", "x-gzip"})  # RFC 9110, 8.4.1.3: the two are the same


def read_body(
    response: httpx.Response, *, max_bytes: int, on_piece: Callable[[], None]
) -> bytes:
    """The whole body of a streamed response; `on_piece` may raise between pieces.

    Raises EhrMalformed for a body beyond `max_bytes`, one that does not unpack, and
    any packing but a single gzip, before a byte of it is read.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in _GZIP | {"", "identity"}:
        raise EhrMalformed("the EHR's answer is packed in a way that was not asked for")
    raw = _raw(response)
    pieces, size = [], 0
    for piece in _unpacked(raw) if packing in _GZIP else raw:
        on_piece()
        size += len(piece)
        if size > max_bytes:
            raise EhrMalformed("the EHR's answer is larger than the limit")
        pieces.append(piece)
    return b"".join(pieces)


def _raw(response: httpx.Response) -> Iterator[bytes]:
    if not isinstance(response.stream, httpx.SyncByteStream):
        raise TypeError("a body needs a response of a client that waits")
    yield from response.stream


def _unpacked(raw: Iterable[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(_GZIP_ONLY)
    is_empty = True
    try:
        for piece in raw:
            is_empty = is_empty and not piece
            yield inflate.decompress(piece, _AT_ONCE)
            while inflate.unconsumed_tail:
                yield inflate.decompress(inflate.unconsumed_tail, _AT_ONCE)
    except zlib.error:
        raise EhrMalformed("the EHR's answer cannot be decoded") from None
    if not is_empty and (not inflate.eof or inflate.unused_data):
        raise EhrMalformed("the EHR's answer cannot be decoded")
