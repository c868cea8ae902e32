from __future__ import annotations

import base64
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
