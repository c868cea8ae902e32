"""The default: SQLite, models in this process, keys made on first use under var/."""

import os
import secrets
from pathlib import Path

from backend.settings.base import *

VAR = Path(os.environ.get("MINDTWIN_VAR", ROOT / "var")).resolve()


def _key(name: str, size: int = 32) -> bytes:
    """This installation's own key; made once, readable by its owner alone."""
    path = VAR / "keys" / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{name}.{os.getpid()}")
        draft.write_bytes(secrets.token_bytes(size))
        draft.chmod(0o600)
        try:
            os.link(
                draft, path
            )  # atomic: the first process wins, no key is overwritten
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_bytes()


DEBUG = False
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
SECRET_KEY = _key("django").hex()
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "mindtwin.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

MINDTWIN |= {
    "VAR": VAR,
    "MASTER_KEYS": {
        "local-1": _key("master")
    },  # key id -> 32 bytes; the last is current
    "INDEX_KEY": _key("index"),
    "AUDIT_KEY": _key("audit"),
    "AUDIT_ANCHOR": VAR / "audit.anchor",
    "TRUSTED_KEYS": [VAR / "keys" / "trusted"],  # beside those shipped with the code
    "EHR_TOKENS": {},  # site slug -> bearer token
    "DEMO": True,
}
