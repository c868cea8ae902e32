"""The embedded settings with only what the access log needs; PostgreSQL by a word."""

import os

from backend.settings.embedded import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "auditlog",
    "backend.audit",
    "backend.people",
]
MIDDLEWARE: list[str] = []
if "LEDGER_POSTGRES" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["LEDGER_POSTGRES"],
            "NAME": "postgres",
            "USER": "postgres",
        }
    }
