from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()


def environment(var: Path) -> dict[str, str]:
    measuring = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE")}
    return {
        **measuring,
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "backend.settings.production",
        "MINDTWIN_SECRET_KEY": "a-long-secret-of-many-different-letters-0123456789-xyz",
        "MINDTWIN_HOSTS": "mindtwin.example",
        "MINDTWIN_DB_HOST": "127.0.0.1",
        "MINDTWIN_REDIS_URL": "redis://127.0.0.1:6379/0",
        "MINDTWIN_VAR": str(var),
        "MINDTWIN_MASTER_KEY": KEY,
        "MINDTWIN_INDEX_KEY": KEY,
        "MINDTWIN_AUDIT_KEY": KEY,
        "MINDTWIN_AUDIT_ANCHOR": str(var / "anchor"),
    }


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_djangos_deployment_checks_find_nothing(tmp_path: Path) -> None:
    done = run(environment(tmp_path), "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["MINDTWIN_SECRET_KEY", "MINDTWIN_MASTER_KEY"])
def test_a_missing_secret_stops_the_start_and_names_itself(
    tmp_path: Path, name: str
) -> None:
    env = environment(tmp_path)
    del env[name]
    done = run(env, "check")
    assert done.returncode != 0
    assert f"set {name}" in done.stderr


def test_a_short_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    short = base64.b64encode(b"short").decode()
    done = run({**environment(tmp_path), "MINDTWIN_INDEX_KEY": short}, "check")
    assert "must hold 32 bytes" in done.stderr
    assert short not in done.stderr


def test_the_demo_is_refused(tmp_path: Path) -> None:
    done = run(environment(tmp_path), "demo")
    assert done.returncode != 0
    assert "refused" in done.stderr


def test_a_token_is_kept_with_the_server_it_is_for(tmp_path: Path) -> None:
    tokens = "north=https://ehr.example|one=|two,south=https://other.example:8443|three"
    done = run(
        {**environment(tmp_path), "MINDTWIN_EHR_TOKENS": tokens},
        "shell",
        "-v0",
        "-c",
        "from django.conf import settings as s; import json; "
        "print(json.dumps([s.MINDTWIN['EHR_TOKENS'], s.MINDTWIN['EHR_SCHEMES']]))",
    )
    assert json.loads(done.stdout) == [
        {
            "north": {"origin": "https://ehr.example", "token": "one=|two"},
            "south": {"origin": "https://other.example:8443", "token": "three"},
        },
        ["https"],
    ]


@pytest.mark.parametrize(
    "tokens",
    ["north=canary", "north=http://ehr.example|canary", "=https://ehr.example|canary"],
)
def test_a_token_without_its_server_stops_the_start_and_is_not_shown(
    tmp_path: Path, tokens: str
) -> None:
    done = run({**environment(tmp_path), "MINDTWIN_EHR_TOKENS": tokens}, "check")
    assert done.returncode != 0
    assert "MINDTWIN_EHR_TOKENS must hold site=https://host|token" in done.stderr
    assert "canary" not in done.stderr
