from __future__ import annotations

import logging
import sys

import pytest

from backend.settings.logs import DiscreetFormatter

CANARY = "canary-4711"


def record(name: str, message: str, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "", 0, message, args, None)
    made.__dict__.update(more)
    return made


@pytest.fixture
def line() -> DiscreetFormatter:
    return DiscreetFormatter("%(levelname)s %(name)s %(message)s")


def test_a_request_is_told_by_its_status_alone(line: DiscreetFormatter) -> None:
    made = record("django.request", "Not Found: %s", f"/{CANARY}", status_code=404)
    shown = line.format(made)
    assert shown == "ERROR django.request a request was answered with 404"
    assert made.getMessage() == f"Not Found: /{CANARY}", "the record stays as it was"


def test_the_web_server_s_arguments_are_left_out(line: DiscreetFormatter) -> None:
    made = record("gunicorn.error", "Error handling request %s", f"/{CANARY}")
    assert line.format(made) == "ERROR gunicorn.error Error handling request %s"


def test_our_own_lines_keep_their_arguments(line: DiscreetFormatter) -> None:
    made = record("mindtwin.audit", "%d audit entries refused", 3)
    assert line.format(made) == "ERROR mindtwin.audit 3 audit entries refused"


def test_an_error_is_told_by_class_and_place_and_so_is_its_cause(
    line: DiscreetFormatter,
) -> None:
    try:
        try:
            float(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        made = record("mindtwin", "failed")
        made.exc_info, made.exc_text = sys.exc_info(), f"cached {CANARY}"
        shown = line.format(made)
    assert CANARY not in shown
    assert "RuntimeError" in shown
    assert "ValueError" in shown
    assert "test_logs.py" in shown
