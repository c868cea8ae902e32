"""What the containers start with, started here: scripts, checks, the image's files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.docker.test_dockerfile import COPIES

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app as the stage `site` makes it."""
    app = tmp_path_factory.mktemp("image") / "app"
    for stage, *sources, target in COPIES:
        if stage != "site":
            continue
        for source in sources:
            into = app / target if target.endswith("/") else app / Path(target).parent
            into.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                skipped = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, into / Path(source).name, ignore=skipped)
            else:
                shutil.copy(ROOT / source, into)
    return app


def secrets(folder: Path) -> Path:
    """Files as an operator makes them, one a variable."""
    folder.mkdir()
    key = "A" * 43 + "="
    values = dict.fromkeys(("MASTER", "INDEX", "AUDIT"), key)
    for name, value in values.items():
        (folder / f"MINDTWIN_{name}_KEY").write_text(f"{value}\n")
    (folder / "MINDTWIN_SECRET_KEY").write_text("x" * 60 + "\n")
    (folder / "MINDTWIN_REDIS_URL").write_text("rediss://:pass@redis:6379/0\n")
    (folder / "MINDTWIN_TRITON_ADMIN_KEY").write_text("0123abcd\n")
    (folder / "MINDTWIN_METRICS_TOKEN").write_text("m" * 64 + "\n")
    return folder


def test_the_image_starts_under_production_settings(
    image: Path, tmp_path: Path
) -> None:
    for name in ("var", "tls", "trusted"):
        (tmp_path / name).mkdir()
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / "tls" / name).touch()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SECRETS_FOLDER": str(secrets(tmp_path / "secrets")),
        "DJANGO_SETTINGS_MODULE": "backend.settings.production",
        "MINDTWIN_HOSTS": "twin.example.org",
        "MINDTWIN_DB_HOST": "postgres",
        "MINDTWIN_VAR": str(tmp_path / "var"),
        "MINDTWIN_AUDIT_ANCHOR": str(tmp_path / "audit.anchor"),
        "MINDTWIN_MODEL_REPOSITORY": str(ROOT / "model_repository"),
        "MINDTWIN_TRITON_URL": "triton:8001",
        "MINDTWIN_TRITON_TLS": str(tmp_path / "tls"),
        "MINDTWIN_TRUSTED_KEYS": str(tmp_path / "trusted"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [image / "docker/entrypoint.sh", "python", "manage.py"]
    done = subprocess.run(
        [*command, "collectstatic", "--no-input"],
        cwd=image,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "var/static/admin").is_dir()


def test_the_entrypoint_turns_files_into_variables(tmp_path: Path) -> None:
    (tmp_path / "MINDTWIN_A").write_text("one two = $HOME\n")
    (tmp_path / "other").write_text("no")
    done = subprocess.run(
        [DOCKER / "entrypoint.sh", "env"],
        env={"SECRETS_FOLDER": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "MINDTWIN_A=one two = $HOME\n" in done.stdout
    assert "other" not in done.stdout


@pytest.mark.parametrize(
    ("key", "status"), [("0123abcd", 0), ("", 1), ("a:b=c", 1), ("a b", 1)]
)
def test_triton_starts_only_with_a_key(tmp_path: Path, key: str, status: int) -> None:
    """A stand-in for the server prints what it was given."""
    (tmp_path / "MINDTWIN_TRITON_ADMIN_KEY").write_text(f"{key}\n")
    server = tmp_path / "tritonserver"
    server.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    server.chmod(0o755)
    done = subprocess.run(
        [DOCKER / "start-triton.sh", "--first"],
        env={"SECRETS_FOLDER": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    given = done.stdout.splitlines()
    if status == 0:
        assert given[0] == "--first"
        assert given[1].endswith(f":admin-key={key}")
    else:
        assert given == []
        assert key not in done.stderr or not key


class Page(BaseHTTPRequestHandler):
    """A health page with the answer of the moment."""

    code, body = 200, b""
    seen: dict[str, str] = {}

    def do_GET(self) -> None:
        type(self).seen = {"path": self.path, **self.headers}
        self.send_response(self.code)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(
    ("code", "body", "status"),
    [
        (200, '{"status": "ok"}', 0),
        (503, '{"status": "degraded"}', 0),
        (503, '{"status": "failed"}', 1),
        (400, "<h1>Bad Request</h1>", 1),
        (200, "[]", 1),
    ],
)
def test_a_degraded_site_is_alive(page: int, code: int, body: str, status: int) -> None:
    Page.code, Page.body = code, body.encode()
    done = subprocess.run(
        [sys.executable, DOCKER / "healthcheck.py"],
        env={"PORT": str(page), "MINDTWIN_HOSTS": "twin.example.org,other"},
        check=False,
        capture_output=True,
    )
    assert done.returncode == status
    assert Page.seen["path"] == "/api/v1/health"
    assert Page.seen["Host"] == "twin.example.org"
    assert Page.seen["X-Forwarded-Proto"] == "https"


def test_a_site_that_is_not_there_is_not_alive(page: int) -> None:
    done = subprocess.run(
        [sys.executable, DOCKER / "healthcheck.py"],
        env={"PORT": "1", "MINDTWIN_HOSTS": "twin.example.org"},
        check=False,
        capture_output=True,
    )
    assert done.returncode == 1
