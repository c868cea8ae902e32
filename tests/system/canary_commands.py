"""Runs several `manage.py` commands in one process, as each would run in its own.

Reads lists of arguments (JSON) from its input. The chart of one patient is the answer
to whoever asked and no log, so that one is not printed. Ends with how many failed.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import nullcontext, redirect_stdout

from django.core.management import ManagementUtility


def failed(arguments: list[str]) -> bool:
    """Whether the command ended with an error, which it has printed."""
    answers = "--patient" in arguments
    try:
        with redirect_stdout(io.StringIO()) if answers else nullcontext():
            ManagementUtility(["manage.py", *arguments]).execute()
    except SystemExit as ended:
        return ended.code != 0
    return False


sys.exit(sum(failed(arguments) for arguments in json.load(sys.stdin)))
