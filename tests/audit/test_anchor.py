"""The anchor file: two slots, never backwards, refuses what it cannot trust."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from backend.audit.anchor import Anchor, AnchorError
from backend.audit.entry import GENESIS, Head

START = Head(0, GENESIS)


def head(seq: int) -> Head:
    return Head(seq, f"{seq:064x}")


@pytest.fixture
def anchor(tmp_path: Path) -> Anchor:
    anchor = Anchor(tmp_path / "new" / "audit.anchor", b"k" * 32)
    anchor.expect(START)
    return anchor


def test_a_new_anchor_stands_before_the_first_row(anchor: Anchor) -> None:
    assert anchor.read() == (START, 0)
    assert anchor.path.stat().st_mode & 0o777 == 0o600


def test_it_moves_forwards_only(anchor: Anchor) -> None:
    for seq in (1, 2, 7, 3, 7):
        anchor.advance(head(seq))
    assert anchor.read() == (head(7), 0)
    before = anchor.path.read_bytes()
    assert len(before) == 2 * 76
    anchor.advance(head(6))
    assert anchor.path.read_bytes() == before


def test_a_torn_write_leaves_the_head_before(anchor: Anchor) -> None:
    anchor.advance(head(1))
    before = anchor.path.read_bytes()
    anchor.advance(head(2))
    after = anchor.path.read_bytes()
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    for cut in range(changed[0] + 1, changed[-1]):
        anchor.path.write_bytes(after[:cut] + before[cut:])
        found, damaged = anchor.read()
        assert (found, damaged) == (head(1), 1)
    anchor.advance(head(3))
    assert anchor.read() == (head(3), 0)


def test_every_flipped_bit_is_seen(anchor: Anchor) -> None:
    anchor.advance(head(1))
    sound = anchor.path.read_bytes()
    for position, bit in itertools.product(range(len(sound)), (1, 128)):
        raw = bytearray(sound)
        raw[position] ^= bit
        anchor.path.write_bytes(raw)
        assert anchor.read()[1] == 1


def test_another_key_reads_nothing(anchor: Anchor) -> None:
    assert Anchor(anchor.path, b"x" * 32).read() == (None, 2)


def test_a_database_behind_its_anchor_is_refused(anchor: Anchor) -> None:
    anchor.advance(head(5))
    for start in (START, head(4)):
        with pytest.raises(AnchorError, match="behind"):
            anchor.expect(start)
    anchor.expect(head(5))
    anchor.expect(head(6))


def test_another_row_in_the_anchored_place_is_refused(anchor: Anchor) -> None:
    anchor.advance(head(5))
    with pytest.raises(AnchorError, match="does not end"):
        anchor.expect(Head(5, "f" * 64))


def test_a_missing_file_is_not_made_again_once_there_are_rows(anchor: Anchor) -> None:
    anchor.path.unlink()
    with pytest.raises(AnchorError, match="missing"):
        anchor.expect(head(1))
    with pytest.raises(AnchorError, match="missing"):
        anchor.advance(head(1))
    anchor.restart(head(1))
    assert anchor.read() == (head(1), 0)


@pytest.mark.parametrize("content", [b"garbage", b"\0" * 152])
def test_a_damaged_file_is_refused(anchor: Anchor, content: bytes) -> None:
    anchor.path.write_bytes(content)
    assert anchor.read() == (None, 2)
    with pytest.raises(AnchorError, match="damaged"):
        anchor.expect(START)
    with pytest.raises(AnchorError, match="damaged"):
        anchor.advance(head(1))


def test_an_empty_file_left_by_a_crash_is_filled(anchor: Anchor) -> None:
    anchor.path.write_bytes(b"")
    anchor.expect(START)
    assert anchor.read() == (START, 0)
