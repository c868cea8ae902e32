"""Rolls the models named back and prints the milliseconds that it took."""

from __future__ import annotations

import sys
import time

import django

django.setup()

from backend.registry.promotion import rollback, standing  # noqa: E402

seen = standing()
begun = time.perf_counter()
rollback(actor="command:test", models=sys.argv[1:], seen=seen)
print(1000 * (time.perf_counter() - begun))
