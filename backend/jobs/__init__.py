"""The door of clock and shell: commands, the worker, the demo, benchmark predictors.

Calls services; holds no rules of its own. Nothing imports it.
"""
