"""The schema is complete and known, and its page needs nobody else's server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "openapi.yml"


@pytest.fixture(scope="module")
def schema():
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_schema_is_valid_and_nothing_was_guessed(schema):
    validate_schema(schema)
    assert not GENERATOR_STATS


def test_the_schema_is_the_golden_one(schema):
    found = OpenApiYamlRenderer().render(schema, renderer_context={}).decode()
    if not GOLDEN.exists() or GOLDEN.read_text(encoding="utf-8") != found:
        beside = GOLDEN.with_name("openapi_out.yml")
        beside.write_text(found, encoding="utf-8")
        pytest.fail(f"read {beside.name}, and copy it to {GOLDEN.name} if it is meant")


def test_every_operation_says_how_it_fails(schema):
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            errors = [code for code in operation["responses"] if code[0] in "45"]
            assert errors, (method, path)


def test_the_schema_is_served(anonymous):
    answer = anonymous.get("/api/v1/schema")
    assert answer.status_code == 200
    assert b"/api/v1/patients" in answer.content


def test_the_page_refers_to_no_other_host(anonymous):
    page = anonymous.get("/api/v1/docs").content.decode()
    assert "swagger-ui" in page
    assert re.findall(r"(?:https?:)?//[\w.-]+", page) == []


def test_what_the_page_loads_lies_here(anonymous):
    page = anonymous.get("/api/v1/docs").content.decode()
    loaded = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert len(loaded) >= 3
    assert all(finders.find(one) for one in loaded)
