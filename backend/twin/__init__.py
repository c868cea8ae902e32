"""The twin thinks: plain values in, frozen dataclasses out.

Knows stdlib, numpy and scipy. Must not know Django, HTTP, FHIR, the clock or a random
generator of its own; time, randomness and data are arguments.
"""
