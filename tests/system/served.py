"""An installation whose models run on a Triton of its own, and what callers see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client.parser import text_string_to_metric_families

from backend.inference.keys import publish_key
from backend.inference.triton_process import TritonProcess
from tests.system.traffic import Answered
from tests.system.web import site, wait_for
from tests.triton import ADMIN_KEY, copy_of_the_repository, triton_of
from tests.versions import next_version

if TYPE_CHECKING:
    from tests.system.conftest import Installation

MODELS = ("symptom_transformer", "symptom_xgboost")
TOKEN = "of-the-scraper"
SHIFT = 0.05  # z units; far above what two runtimes differ by


class Served(NamedTuple):
    """The installation, its Triton, its site, and what the setup made in it."""

    installation: Installation
    triton: TritonProcess
    url: str
    given: dict[str, Any]
    repository: Path  # the site's
    theirs: Path  # Triton's

    def calls(self) -> dict[tuple[str, str], float]:
        """Calls of the site's process so far, by server and outcome."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        page = httpx.get(f"{self.url}/metrics", headers=headers, timeout=30)
        assert page.status_code == 200
        found: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families(page.text):
            for sample in family.samples:
                if sample.name == "mindtwin_model_calls_total":
                    key = sample.labels["server"], sample.labels["outcome"]
                    found[key] = found.get(key, 0.0) + sample.value
        return found

    def again(self, answers: list[Answered]) -> list[list[Any]]:
        """What the models in process answer to the same requests, from the EHR on."""
        asked = json.dumps([[one.patient, one.as_of] for one in answers])
        file = self.installation.var / "asked.json"
        file.write_text(asked)
        done = self.installation.run("tests/system/traffic_again.py", str(file))
        return list(json.loads(done.stdout))


@contextmanager
def served(
    installation: Installation, ehr_url: str, folder: Path, *, copies: int
) -> Iterator[Served]:
    """Site and Triton while the block runs; each reads its own copy of the models."""
    repository = copy_of_the_repository(folder)
    theirs = copy_of_the_repository(folder / "theirs")
    with triton_of(theirs, folder, models={}) as triton:
        installation.environment |= {
            "MINDTWIN_MODEL_REPOSITORY": str(repository),
            "MINDTWIN_TRITON_URL": triton.grpc_url,
            "MINDTWIN_TRITON_ADMIN_KEY": ADMIN_KEY,
            "MINDTWIN_METRICS_TOKEN": TOKEN,
        }
        installation.manage("models", "load")
        made = installation.run("tests/system/traffic_setup.py", ehr_url, str(copies))
        with site(installation, folder / "site.log") as url:
            wait_for(url)
            given = json.loads(made.stdout)
            yield Served(installation, triton, url, given, repository, theirs)


def next_versions(found: Served) -> dict[str, int]:
    """A next version of both models, whose answers are higher by SHIFT; not loaded."""
    key = Ed25519PrivateKey.generate()
    publish_key(key, found.installation.var / "keys" / "trusted")
    made = {}
    for model in MODELS:
        number = next_version(found.repository, model, shift=SHIFT, key=key)
        place = Path(model, str(number))
        shutil.copytree(found.repository / place, found.theirs / place)
        made[model] = number
    return made


def quantiles(answer: Answered) -> list[Any]:
    """The rows of every instrument, in the answer's order."""
    return [one["quantiles"]["values"] for one in answer.body["instruments"]]
