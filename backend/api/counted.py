"""How often each service was asked here, and what came of it; nothing of whom."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.errors import URN

_MADE = {200: "stored", 201: "new"}

_lock = threading.Lock()
_requests: Counter[tuple[str, str]] = Counter()


class Counted(APIView):
    """A view whose POST asks a service for an answer; a bug (500) is not counted."""

    service: ClassVar[str]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """The framework's last step, for answers and problems alike."""
        if request.method == "POST":
            with _lock:
                _requests[self.service, _outcome(response)] += 1
        return super().finalize_response(request, response, *args, **kwargs)


def requests() -> dict[tuple[str, str], int]:
    """By service and outcome, of this process since it started."""
    with _lock:
        return dict(_requests)


def _outcome(response: Response) -> str:
    """New, stored, or the problem's own name: words of ours alone."""
    made = _MADE.get(response.status_code)
    return made or str(response.data["type"]).removeprefix(URN)
