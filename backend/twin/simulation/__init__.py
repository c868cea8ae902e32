"""Simulated patients, for training, the demo and tests alike.

The random generator is always an argument. The constants were set by hand until moments
of openly licensed diaries (tier A) were met; nobody in those was trained on.
`python -m export_scripts.moments` prints both; see docs/methods/forecast.md.
"""
