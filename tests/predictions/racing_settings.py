"""The embedded settings; PostgreSQL where its socket's folder is given."""

import os

from backend.settings.embedded import *  # noqa: F403

if "RACING_POSTGRES" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["RACING_POSTGRES"],
            "NAME": "postgres",
            "USER": "postgres",
        }
    }
