"""Training and export: torch, xgboost and pandas live only here.

One file per model, named like its folder in model_repository. Knows the twin and
inference; must not know Django, EHRs or the service around them.
"""
