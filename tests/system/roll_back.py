"""Rolls the models named back and prints the milliseconds that it took."""

from __future__ import annotations

import sys
import time

import django

django.setup()

from backend.registry.promotion import rollback  # noqa: E402

begun = time.perf_counter()
rollback(actor="command:test", models=sys.argv[1:])
print(1000 * (time.perf_counter() - begun))
