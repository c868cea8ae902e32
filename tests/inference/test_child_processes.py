from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from backend.inference.child_processes import children, tied_to_us
from tests.triton import ROOT, gone

PARENT = """
import subprocess, time
from backend.inference.child_processes import tied_to_us
child = subprocess.Popen(tied_to_us(["/bin/sleep", "60"]))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_tied_child_ends_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    assert gone(child)


def test_a_child_whose_parent_is_gone_never_runs(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    command = tied_to_us(["/usr/bin/touch", str(ran)])
    of_nobody = [word if word != str(os.getpid()) else "1" for word in command]
    assert subprocess.run(of_nobody, check=False).returncode == 1
    assert not ran.exists()
    subprocess.run(command, check=True)
    assert ran.exists()


def test_children_are_told_with_their_arguments_while_they_run() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        assert dict(children(os.getpid()))[process.pid] == ["/bin/sleep", "60"]
        process.kill()
        assert gone(process.pid)  # and yet not waited for: a zombie
        assert process.pid not in dict(children(os.getpid()))
