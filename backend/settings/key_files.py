"""Key files: made once, whole or not at all, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def read_or_make(path: Path, size: int = 32) -> bytes:
    """The key in this file, made on first use; however many processes start at once.

    Raises RuntimeError when the file holds anything but `size` bytes: a new key in its
    place would make everything unreadable that was sealed by the old one.
    """
    private_folder(path.parent)
    if not path.exists():
        _make(path, size)
    key = path.read_bytes()
    if len(key) != size:
        raise RuntimeError(
            f"the key file {path.name} holds {len(key)} bytes in place of {size}: "
            "put it back from a backup"
        )
    return key


def private_folder(folder: Path) -> None:
    """Make the folder, or close one that another tool made, to all but its owner.

    Raises RuntimeError for a folder that many share, such as /tmp.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = folder.stat().st_mode
    if mode & stat.S_ISVTX:
        raise RuntimeError(f"{folder} is shared; choose a folder of MindTwin's own")
    if stat.S_IMODE(mode) != 0o700:
        folder.chmod(0o700)


def _make(path: Path, size: int) -> None:
    """Write a draft, make sure it is on disk, then give it the name: first one wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(file, "wb") as open_file:
            open_file.write(secrets.token_bytes(size))
            open_file.flush()
            os.fsync(open_file.fileno())
        path.hardlink_to(draft)  # never replaces a key that is there
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name must outlive a power cut too
    finally:
        os.close(folder)
