"""Whether the site answers: exit 0 also where it is degraded, since it still serves."""

from __future__ import annotations

import json
import os
import sys
from http.client import HTTPConnection, HTTPException

ALIVE = {"ok", "degraded"}


def status(port: int, host: str) -> str:
    """What the health page says, asked as the TLS proxy in front would ask."""
    site = HTTPConnection("127.0.0.1", port, timeout=8)
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    try:
        site.request("GET", "/api/v1/health", headers=headers)
        return str(json.loads(site.getresponse().read())["status"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        return type(error).__name__
    finally:
        site.close()


if __name__ == "__main__":
    found = status(
        int(os.environ.get("PORT", "8000")), os.environ["MINDTWIN_HOSTS"].split(",")[0]
    )
    sys.stdout.write(f"{found}\n")
    sys.exit(found not in ALIVE)
