"""Simulated patients, for training, the demo and tests alike.

The random generator is always an argument. Nothing here was fitted to a person: the
distributions follow published moments of symptom diaries (docs/methods/forecast.md).
"""
