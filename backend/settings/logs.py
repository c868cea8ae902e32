"""Log lines that cannot carry what a request or a record said."""

from __future__ import annotations

import copy
import logging
import traceback
from types import TracebackType

Caught = tuple[type[BaseException], BaseException, TracebackType | None]


class DiscreetFormatter(logging.Formatter):
    """Leaves out the path of a request and the text of an exception.

    Callers put names and EHR ids into paths, and an error nobody foresaw may quote the
    value it tripped over. What is left says where to look: the status, the class of the
    error, and the lines of code.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line; the record itself stays as it was."""
        shown = copy.copy(record)
        status = getattr(shown, "status_code", None)
        if status is not None:  # Django's own account of a request, with its path
            shown.msg, shown.args = "a request was answered with %s", (status,)
        elif shown.name.startswith("gunicorn"):  # its arguments are paths and addresses
            shown.args = ()
        shown.exc_text = None
        return super().format(shown)

    def formatException(self, ei: Caught | tuple[None, None, None]) -> str:  # noqa: N802
        """The frames and the class of the error, and of what it came from."""
        lines = []
        error = ei[1]
        while error is not None:
            lines += [*traceback.format_tb(error.__traceback__), type(error).__name__]
            error = error.__cause__ or error.__context__
        return "\n".join(line.rstrip() for line in lines)
