from __future__ import annotations

import inspect
import re

import pytest

from backend.twin import errors

CLASSES = {
    name: found
    for name, found in inspect.getmembers(errors, inspect.isclass)
    if found.__module__ == errors.__name__
}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    parents: dict[int, str] = {}
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([ │├└─]*)([A-Z][A-Za-z]+)(\s{2,}|$)", line)
        if match and match[2] in CLASSES:
            depth = len(match[1])
            above = [at for at in parents if at < depth]
            drawn[match[2]] = parents[max(above)] if above else "Exception"
            parents = {at: name for at, name in parents.items() if at < depth}
            parents[depth] = match[2]
    assert drawn == {
        name: found.__bases__[0].__name__ for name, found in CLASSES.items()
    }


def test_unknown_and_forbidden_are_one_error_with_one_text() -> None:
    assert str(errors.NotVisible()) == "not found"
    with pytest.raises(TypeError):
        errors.NotVisible("patient 7")  # type: ignore[call-arg]


CLOSED = errors.RecordClosed.__subclasses__()


def test_a_closed_record_has_a_word_and_a_text_of_its_own() -> None:
    words = {closed.reason for closed in CLOSED}
    assert len(words) == len({str(closed()) for closed in CLOSED}) == len(CLOSED) == 4
    assert all(re.fullmatch(r"[a-z-]{1,12}", word) for word in words)


def test_errors_carry_what_a_door_needs() -> None:
    missing = errors.InsufficientData(("entries of phq9", "a scale"))
    assert missing.missing == ("entries of phq9", "a scale")
    assert "entries of phq9" in str(missing)
    assert errors.EhrUnavailable("down").retry_after_s == 30.0
    assert errors.EhrUnavailable("down", retry_after_s=5).retry_after_s == 5
    assert errors.EhrNotFound("gone", status=404).status == 404
