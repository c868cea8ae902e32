"""Which model versions exist here and which of them answers: rows, not folders.

Knows the audit log and the twin; knows no model file, no patient and no HTTP.
"""
