"""What the lifecycle keeps out of sight, the real Triton does not see either."""

from __future__ import annotations

import shutil
from pathlib import Path

from backend.inference.catalogue import read_catalogue
from backend.inference.keys import SHIPPED
from backend.inference.lifecycle import retire
from backend.inference.triton import TritonAddress, TritonServer
from tests.inference.candidates import KEY, TRANSFORMER
from tests.triton import ADMIN_KEY, copy_of_the_repository, triton_of
from tests.versions import next_version, shipped_version


def test_triton_serves_neither_what_is_retired_nor_what_is_half_published(
    tmp_path: Path,
) -> None:
    repository = copy_of_the_repository(tmp_path)
    old = shipped_version(TRANSFORMER)
    new = next_version(repository, TRANSFORMER, key=KEY)
    folder = repository / TRANSFORMER
    shutil.copytree(folder / str(new), folder / ".new-half")
    trusted = (SHIPPED, KEY.public_key())
    with triton_of(repository, tmp_path, models={TRANSFORMER: [old, new]}) as running:
        server = TritonServer(
            TritonAddress(running.grpc_url, admin_key=ADMIN_KEY),
            catalogue=lambda: read_catalogue(repository, trusted=trusted),
        )
        for version in (old, new):
            server.canary(TRANSFORMER, version)
        server.load(TRANSFORMER, [new])
        retire(repository, TRANSFORMER, old)
        server.canary(TRANSFORMER, new)
        assert not server.ready(TRANSFORMER, old)
        server.close()
