from __future__ import annotations

from typing import Any

import pytest

from fhir_integration.kinds.modified import is_modified


@pytest.mark.parametrize(
    ("element", "modified"),
    [
        ({}, False),
        ({"modifierExtension": []}, False),
        ({"modifierExtension": None, "implicitRules": ""}, False),
        ({"extension": [{"url": "urn:x"}]}, False),
        ({"modifierExtension": [{"url": "urn:x"}]}, True),
        ({"modifierExtension": {"url": "urn:x"}}, True),
        ({"modifierExtension": "urn:x"}, True),
        ({"implicitRules": "urn:x"}, True),
    ],
)
def test_what_changes_the_meaning(element: dict[str, Any], modified: bool) -> None:
    assert is_modified(element) is modified
