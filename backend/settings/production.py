"""Production: PostgreSQL, Redis, Triton, and every secret from the environment."""

import base64
import os
from pathlib import Path

from backend.settings.base import *
from backend.settings.serving import signing_key, triton, trusted_keys


def _need(name: str) -> str:
    """A variable that has no safe default."""
    try:
        return os.environ[name]
    except KeyError:
        raise RuntimeError(f"set {name}: see docs/production.md") from None


def _key(name: str) -> bytes:
    """A 32-byte key in base64; make one with `openssl rand -base64 32`."""
    key = base64.b64decode(_need(name), validate=True)
    if len(key) != 32:
        raise RuntimeError(f"{name} must hold 32 bytes in base64")
    return key


def _tokens(pairs: str) -> dict[str, dict[str, str]]:
    """`site=https://host|token`, joined by commas: a token and the server it is for."""
    found = {}
    for pair in filter(None, pairs.split(",")):
        site, _, rest = pair.partition("=")
        origin, _, token = rest.partition("|")
        if not (site and token and origin.startswith("https://")):
            raise RuntimeError(
                "MINDTWIN_EHR_TOKENS must hold site=https://host|token, joined by "
                "commas: see docs/production.md"
            )
        found[site] = {"origin": origin, "token": token}
    return found


def _files(name: str) -> dict[str, Path]:
    """`site=/path/to/file`, joined by commas."""
    found = {}
    for pair in filter(None, os.environ.get(name, "").split(",")):
        site, _, path = pair.partition("=")
        if not (site and Path(path).is_file()):
            raise RuntimeError(f"{name} must hold site=file, joined by commas")
        found[site] = Path(path)
    return found


DEBUG = False
SECRET_KEY = _need("MINDTWIN_SECRET_KEY")
ALLOWED_HOSTS = _need("MINDTWIN_HOSTS").split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _need("MINDTWIN_DB_HOST"),
        "NAME": os.environ.get("MINDTWIN_DB_NAME", "mindtwin"),
        "USER": os.environ.get("MINDTWIN_DB_USER", "mindtwin"),
        "PASSWORD": os.environ.get("MINDTWIN_DB_PASSWORD", ""),
        "OPTIONS": {"sslmode": os.environ.get("MINDTWIN_DB_SSLMODE", "verify-full")},
        "CONN_MAX_AGE": 60,
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _need("MINDTWIN_REDIS_URL"),
    }
}

VAR = Path(_need("MINDTWIN_VAR")).resolve()
STATIC_ROOT = VAR / "static"
MINDTWIN |= {
    "VAR": VAR,
    "MASTER_KEYS": {
        os.environ.get("MINDTWIN_MASTER_KEY_ID", "master-1"): _key(
            "MINDTWIN_MASTER_KEY"
        )
    },
    "INDEX_KEY": _key("MINDTWIN_INDEX_KEY"),
    "AUDIT_KEY": _key("MINDTWIN_AUDIT_KEY"),
    "AUDIT_ANCHOR": Path(_need("MINDTWIN_AUDIT_ANCHOR")),
    "TRITON": triton(),
    "TRUSTED_KEYS": trusted_keys(),  # beside those shipped with the code
    "SIGNING_KEY": signing_key(),
    "METRICS_TOKEN": os.environ.get("MINDTWIN_METRICS_TOKEN") or None,
    "EHR_TOKENS": _tokens(os.environ.get("MINDTWIN_EHR_TOKENS", "")),
    "CONCEPT_MAPS": _files("MINDTWIN_CONCEPT_MAPS"),
    "DEMO": False,  # demo accounts and simulated patients are refused
}
