"""The default: SQLite, models in this process, keys made on first use under var/."""

import os
from pathlib import Path

from backend.settings.base import *
from backend.settings.key_files import private_folder, read_or_make
from backend.settings.serving import signing_key, triton, trusted_keys

VAR = Path(os.environ.get("MINDTWIN_VAR", ROOT / "var")).resolve()
private_folder(VAR)  # it also holds the database and the audit log's anchor


def _key(name: str) -> bytes:
    return read_or_make(VAR / "keys" / name)


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
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA secure_delete=ON",  # what is deleted is overwritten
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
    "TRITON": triton(),
    # Beside those shipped with the code.
    "TRUSTED_KEYS": [VAR / "keys" / "trusted", *trusted_keys()],
    "SIGNING_KEY": signing_key() or VAR / "keys" / "export.pem",
    "METRICS_TOKEN": os.environ.get("MINDTWIN_METRICS_TOKEN") or None,
    "EHR_SCHEMES": ("http", "https"),  # the demo's EHR is on this machine
    "DEMO": True,
}
