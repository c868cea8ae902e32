"""The script behind the prior's constants; the constants are tested in the twin."""

from __future__ import annotations

import pytest

from export_scripts.prior import main, prior


def test_the_script_prints_every_constant(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--people", "200", "--seed", "3"])
    lines = dict(line.split() for line in capsys.readouterr().out.splitlines())
    expected = prior(3, count=200)._asdict()
    assert {name: float(value) for name, value in lines.items()} == {
        name: pytest.approx(value, abs=5e-4) for name, value in expected.items()
    }
