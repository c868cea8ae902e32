"""Figures of slow baselines, from answers made before or by the benchmark's modules."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from export_scripts import record_baselines
from export_scripts.real_windows import REFERENCE, Answered

MODULE = """
def cross_predict(windows):
    import numpy as np
    return np.stack([np.tile(np.linspace(99, -99, 11), (14, 1)) for _ in windows])

def ets(batch):
    import numpy as np
    return np.stack([np.tile(np.arange(5.0), (14, 1)) for _ in batch])
"""


def test_the_file_has_every_forecaster_of_both_choices(
    made_answers: Answered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, every = made_answers.found, made_answers.windows
    monkeypatch.setattr(record_baselines, "bench", lambda _: found)
    monkeypatch.setattr(record_baselines, "LIBRARIES", ("numpy",))
    quantiles = made_answers.quantiles[REFERENCE]
    for name in ("ets", "theta", "lightgbm"):
        np.savez(tmp_path / f"{name}.npz", quantiles=quantiles)
    five = quantiles[found.windows.subset(every)][..., found.score.FIVE_OF_ELEVEN]
    for name in ("ces", "arima"):
        np.savez(tmp_path / f"{name}.npz", quantiles=five)
    output = tmp_path / "figures.toml"
    record_baselines.main(["--answers", str(tmp_path), "--output", str(output)])
    made = tomllib.loads(output.read_text())
    assert made["windows"] == len(every)
    assert made["made_with"] == f"numpy {np.__version__}"
    assert set(made["all"]) == {"ets", "theta", "lightgbm"}
    assert set(made["subset"]) == {"ces", "arima"}
    assert made["all"]["ets"] == made["all"]["theta"]
    assert made["all"]["ets"]["mae14"] > 0


def test_answers_are_made_where_none_are_given(
    made_answers: Answered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", ["kept"])
    import sys  # noqa: PLC0415 - its path is a copy now

    for name in ("statistical", "global_lightgbm"):
        (tmp_path / f"{name}.py").write_text(MODULE)
        monkeypatch.delitem(sys.modules, name, raising=False)
    few = made_answers.windows[:3]
    fitted = record_baselines.slow(tmp_path, "ets")(few)
    assert fitted.shape == (3, 14, 5)
    trees = record_baselines.slow(tmp_path, "lightgbm")(few)
    assert trees.shape == (3, 14, 11)
    assert (np.diff(trees, axis=-1) >= 0).all()
    assert trees.max() == max(w.hi for w in few)
