"""Reading files that somebody else wrote: plain ones, of a size, with plain JSON."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from backend.twin.errors import ModelUntrusted

DEPTH = 32  # our cards are 7 deep
_WHOLE = 2**63  # what databases take for a whole number lies below
_PIECE = 1 << 20
_WHY = {errno.ELOOP: "{} is not a plain file", errno.ENOENT: "no {}"}


def open_plain(path: Path, *, limit: int) -> BinaryIO:
    """A regular file of at most `limit` bytes, opened to be read.

    Never waits on a pipe nor follows a link. Raises ModelUntrusted with the file's name
    and why.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags)
    except OSError as error:
        why = _WHY.get(error.errno or 0, "{} cannot be read")
        raise ModelUntrusted(why.format(path.name)) from error
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_size <= limit:
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISREG(found.st_mode):
        raise ModelUntrusted(f"{path.name} is larger than {limit} bytes")
    raise ModelUntrusted(f"{path.name} is not a plain file")


def read_plain(path: Path, *, limit: int) -> bytes:
    """A regular file's bytes. Raises ModelUntrusted as `open_plain` does."""
    with open_plain(path, limit=limit) as file:
        content = file.read(limit + 1)
    if len(content) > limit:  # it grew meanwhile
        raise ModelUntrusted(f"{path.name} is larger than {limit} bytes")
    return content


def copy_plain(path: Path, target: Path, *, limit: int) -> None:
    """A regular file's bytes under another name. Raises ModelUntrusted, OSError."""
    left = limit
    with open_plain(path, limit=limit) as file, target.open("xb") as copy:
        while piece := file.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise ModelUntrusted(f"{path.name} is larger than {limit} bytes")
            copy.write(piece)


def read_json(content: bytes) -> Any:
    """What UTF-8 JSON says, once every database could keep it.

    Raises ValueError with one word of why: no JSON, nested too deeply, a number that is
    not finite or too large, a text with NUL or half a character.
    """
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
        _check(found, DEPTH)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError:
        raise ValueError("no JSON") from None
    return found


def _no_constant(_: str) -> float:
    raise ValueError("a number is not finite")


def _check(value: Any, depth: int) -> None:
    if not depth:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_text(name)
            _check(part, depth - 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, depth - 1)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int | float) and not _fits(value):
        raise ValueError("a number is not finite or too large")


def _fits(number: float) -> bool:
    if isinstance(number, float):
        return math.isfinite(number)
    return -_WHOLE <= number < _WHOLE


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("a text holds NUL or half a character")
