"""The audit room: an append-only, chained record of who touched which patient's data.

It knows users and patients only as words and ids, so every other room can use it.
"""
