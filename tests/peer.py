"""The peer EHR as a test drives it: its faults, its data, its validator."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fhir_integration.site import FhirEhr


@dataclass(frozen=True)
class Peer:
    base_url: str
    folder: Path
    http: httpx.Client

    def admin(self, path: str, body: object = None) -> None:
        url = f"{self.base_url.removesuffix('/fhir/R4')}/_admin/{path}"
        self.http.post(url, content=json.dumps(body or {})).raise_for_status()

    def fail_next(self, *faults: dict[str, Any]) -> None:
        self.admin("fail", list(faults))

    def put(self, resource: dict[str, Any]) -> None:
        url = f"{self.base_url}/{resource['resourceType']}"
        self.http.post(url, json=resource).raise_for_status()

    def total(self, kind: str) -> int:
        return int(self.http.get(f"{self.base_url}/{kind}").json()["total"])

    def ehr(self, **options: Any) -> FhirEhr:
        return FhirEhr(self.base_url, **options)

    def problems(self, file: Path) -> list[dict[str, Any]]:
        """What the peer's validator says of the resources in the file, if anything."""
        run = subprocess.run(
            ["npm", "run", "-s", "validate", "--", str(file)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        assert lines, run.stderr
        return [line for line in lines if line["issues"] or run.returncode]
