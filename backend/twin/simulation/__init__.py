"""Simulated patients, for training, the demo and tests alike.

The random generator is always an argument. Nothing here was fitted to a person: the
constants were set by hand, after published moments of symptom diaries and the pooled
errors of plain forecasters on them (docs/benchmarks.md says what that means).
"""
