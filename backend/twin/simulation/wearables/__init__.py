"""Simulated wearables and symptom reports whose links are known, whole batches at once.

Everything is numpy over [patient, series, hour]; the random generator is always an
argument. Every constant, its range and why: docs/methods/correlation-simulator.md.
"""
