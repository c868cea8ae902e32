"""The people room: users, sites, patients, care teams; the gate and the encryption.

Patient data is reached through `access.py` alone, which asks, records and only then
hands out.
"""
