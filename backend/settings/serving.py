"""Where models are served and whom they must be signed by, from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_HERE = ("127.0.0.1", "localhost", "[::1]")
_PEM = {"authority": "ca.pem", "certificate": "client.pem", "key": "client.key"}


def triton() -> dict[str, Any] | None:
    """Triton's address and what it takes to be let in; None: models run in process.

    Raises RuntimeError where what patients reported would leave this machine in the
    clear, and for a certificate that is not there.
    """
    url = os.environ.get("MINDTWIN_TRITON_URL")
    if not url:
        return None
    folder = os.environ.get("MINDTWIN_TRITON_TLS")
    if not folder and url.rpartition(":")[0] not in _HERE:
        raise RuntimeError("set MINDTWIN_TRITON_TLS: Triton is not on this machine")
    return {
        "url": url,
        "admin_key": os.environ.get("MINDTWIN_TRITON_ADMIN_KEY") or None,
        "tls": _certificates(Path(folder)) if folder else None,
    }


def trusted_keys() -> list[Path]:
    """Files of public keys, or folders of them, joined by commas.

    Raises RuntimeError for one that is not there: somebody meant it to count.
    """
    names = os.environ.get("MINDTWIN_TRUSTED_KEYS", "").split(",")
    places = [Path(name) for name in names if name]
    if not all(place.exists() for place in places):
        raise RuntimeError("MINDTWIN_TRUSTED_KEYS must hold files or folders of keys")
    return places


def signing_key() -> Path | None:
    """The private key that signs what this process publishes, if it may publish."""
    path = os.environ.get("MINDTWIN_SIGNING_KEY")
    return Path(path) if path else None


def _certificates(folder: Path) -> dict[str, Path]:
    found = {part: folder / name for part, name in _PEM.items()}
    missing = sorted(path.name for path in found.values() if not path.is_file())
    if missing:
        raise RuntimeError(f"MINDTWIN_TRITON_TLS lacks {', '.join(missing)}")
    return found
