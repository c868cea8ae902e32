"""An import that is killed at a stage or after so many resources: PATH SPOOL WHEN."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from fhir_integration.files.importing import Import, Progress
from tests.fhir_integration.files.made_files import UNTIL


def main(path: str, spool: str, after: str) -> None:
    """Read until the count is reached, then die."""

    def tick(progress: Progress) -> None:
        if progress.stage == after or (
            after.isdigit() and progress.resources >= int(after)
        ):
            os.kill(os.getpid(), signal.SIGKILL)

    Import(Path(path), Path(spool), until=UNTIL).run(tick)


if __name__ == "__main__":
    main(*sys.argv[1:])
