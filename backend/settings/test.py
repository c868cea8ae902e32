"""Tests: the embedded settings with fixed keys and throw-away places."""

import os
import tempfile
from pathlib import Path

for name in [one for one in os.environ if one.startswith("MINDTWIN_")]:
    if name != "MINDTWIN_TRITON_VENV":
        del os.environ[name]  # a developer's own server is not for tests
# Workers of one test run each get their own folder.
os.environ["MINDTWIN_VAR"] = tempfile.mkdtemp(prefix="mindtwin-test-")

from backend.settings.embedded import *

SECRET_KEY = "test"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATABASES["default"]["TEST"] = {"NAME": Path(VAR) / "test.sqlite3"}
