"""Which body signal moves with which symptom, at what lag, and how sure; no I/O."""
