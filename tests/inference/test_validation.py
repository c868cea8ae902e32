"""The checks of a version folder, and the little that their process may take."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from backend.inference import validation
from backend.inference.validation import (
    Limits,
    Report,
    check,
    main,
    one_line,
    validate,
)
from backend.twin.errors import ModelUntrusted
from tests.inference.candidates import (
    TRANSFORMER,
    TREES,
    Edit,
    bomb,
    candidate,
    edit_card,
    edit_golden,
    edit_graph,
)
from tests.versions import SHIPPED_MODELS, shipped_version

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("model", [TRANSFORMER, TREES])
def test_what_is_shipped_passes_in_place_and_as_a_candidate(
    model: str, tmp_path: Path
) -> None:
    for folder in (
        SHIPPED_MODELS / model / str(shipped_version(model)),
        candidate(tmp_path, model),
    ):
        report = validate(folder)
        assert report.max_abs <= 1e-4
        assert 0 < report.p95_ms < 1000


def test_the_command_prints_one_line(tmp_path: Path) -> None:
    folder = candidate(tmp_path)
    command = [sys.executable, "-m", "backend.inference.validation", str(folder)]

    def said() -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={"PATH": os.defpath},  # whoever measures coverage writes large files
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    code, line = said()
    assert (code, set(json.loads(line))) == (0, {"max_abs", "p95_ms"})
    (folder / "golden.npz").unlink()
    assert said() == (1, "refused: no golden.npz\n")


def _link(name: str) -> Edit:
    def edit(folder: Path) -> None:
        target = folder.parent / f"real-{name}"
        (folder / name).rename(target)
        (folder / name).symlink_to(target)

    return edit


def _nan_constant(model: onnx.ModelProto) -> None:
    """The answer becomes NaN for every input."""
    for node in model.graph.node:
        node.output[:] = ["before" if n == "quantiles" else n for n in node.output]
    bad = numpy_helper.from_array(np.float32(np.nan).reshape(()), "bad")
    model.graph.initializer.append(bad)
    model.graph.node.append(helper.make_node("Add", ["before", "bad"], ["quantiles"]))


def _out_of_reach(model: onnx.ModelProto) -> None:
    """Gathers a level that is not there: loads, and fails when it runs."""
    for node in model.graph.node:
        node.output[:] = ["before" if n == "quantiles" else n for n in node.output]
    levels = np.array([*range(10), 99])
    model.graph.initializer.append(numpy_helper.from_array(levels, "levels"))
    add = helper.make_node("Gather", ["before", "levels"], ["quantiles"], axis=2)
    model.graph.node.append(add)


def _rename_input(case: dict[str, np.ndarray]) -> None:
    case["in_other"] = case.pop("in_anchor")


def _rename_output(case: dict[str, np.ndarray]) -> None:
    case["out_other"] = case.pop("out_quantiles")


def _shorten(case: dict[str, np.ndarray]) -> None:
    for name in list(case):
        case[name] = case[name][:10]


def _cut_one(case: dict[str, np.ndarray]) -> None:
    case["in_anchor"] = case["in_anchor"][:70]


def _narrow_answer(case: dict[str, np.ndarray]) -> None:
    case["out_quantiles"] = case["out_quantiles"][:, :, :7]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda f: (f / "card.json").unlink(), "no card.json"),
        (lambda f: (f / "model.onnx").unlink(), "no model.onnx"),
        (lambda f: (f / "run.py").touch(), "run.py is no part of a version"),
        (_link("model.onnx"), "model.onnx is not a plain file"),
        (lambda f: (f / "manifest.json").mkdir(), "manifest.json is not a plain file"),
        (
            lambda f: (f / "card.json").write_bytes(b" " * (1 << 21)),
            "card.json is larger than",
        ),
        (lambda f: (f / "golden.npz").write_bytes(b"PK"), "no usable golden case"),
        (edit_golden(_rename_input), "the golden case has other inputs"),
        (edit_golden(_rename_output), "the golden case has other outputs"),
        (edit_golden(_shorten), "a golden case needs 64 rows"),
        (edit_golden(_cut_one), "a golden case needs 64 rows"),
        (edit_golden(_narrow_answer), "differs by inf"),
        (edit_graph(_nan_constant), "an answer to finite inputs is not finite"),
        (edit_graph(_out_of_reach), "the golden case fails"),
        (edit_card(lambda c: c.update(model="other")), "inputs|other"),
    ],
)
def test_a_folder_that_is_not_right_is_refused(
    tmp_path: Path, edit: Callable[[Path], object], says: str
) -> None:
    model_folder = tmp_path / TRANSFORMER
    model_folder.mkdir()
    shutil.copy(SHIPPED_MODELS / TRANSFORMER / "config.pbtxt", model_folder)
    folder = candidate(model_folder)
    check(folder)
    edit(folder)
    with pytest.raises(ModelUntrusted, match=says) as refusal:
        check(folder)
    assert "\n" not in str(refusal.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for ask in (validate, check):
        with pytest.raises(ModelUntrusted, match="no such folder"):
            ask(tmp_path / "nowhere")


def test_a_model_that_nobody_would_wait_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "ABSURD_MS", 0.0)
    with pytest.raises(ModelUntrusted, match="no caller waits so long"):
        check(candidate(tmp_path))


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(memory=1 << 20), "more memory|needs too much memory"),
        (Limits(wall_s=0.01), r"checking took over 0\.01 s"),
    ],
)
def test_the_process_ends_at_its_limits(
    tmp_path: Path, limits: Limits, says: str
) -> None:
    with pytest.raises(ModelUntrusted, match=says):
        validate(candidate(tmp_path, TREES), limits=limits)


def _endless(model: onnx.ModelProto) -> None:
    """Some seconds of work on the anchor, of which nothing is left in the answer."""
    nodes, initial = model.graph.node, model.graph.initializer
    for node in nodes:
        node.output[:] = ["before" if n == "quantiles" else n for n in node.output]
    nodes.append(helper.make_node("Tile", ["anchor", "times"], ["turn0"]))
    for turn in range(300):
        nodes.append(helper.make_node("Erf", [f"turn{turn}"], [f"turn{turn + 1}"]))
    nodes.append(helper.make_node("ReduceSum", ["turn300"], ["all"], keepdims=0))
    nodes.append(helper.make_node("Mul", ["all", "zero"], ["none"]))
    nodes.append(helper.make_node("Add", ["before", "none"], ["quantiles"]))
    initial.append(numpy_helper.from_array(np.array([1, 10_000]), "times"))
    initial.append(numpy_helper.from_array(np.float32(0).reshape(()), "zero"))


def test_a_process_that_computes_on_and_on_is_ended(tmp_path: Path) -> None:
    folder = candidate(tmp_path, TREES)
    edit_graph(_endless)(folder)
    with pytest.raises(ModelUntrusted, match="more memory or time than is allowed"):
        validate(folder, limits=Limits(cpu_s=1))


def test_a_bomb_takes_none_of_our_memory_and_our_secrets_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = candidate(tmp_path)
    bomb(1.7)(folder)
    assert (folder / "model.onnx").stat().st_size < 500
    seen: dict[str, str] = {}
    run = subprocess.run

    def watched(*arguments: object, **options: object) -> object:
        seen.update(options["env"])  # type: ignore[call-overload]
        return run(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setenv("MINDTWIN_SECRET_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", watched)
    with pytest.raises(ModelUntrusted, match="it needs more memory"):
        validate(folder)
    assert seen == {"PATH": os.defpath, "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (Report(0.0, 1.0), (0, '{"max_abs": 0.0, "p95_ms": 1.0}\n')),
        (ModelUntrusted("why\nnot"), (1, "refused: why not\n")),
        (MemoryError(), (1, "refused: checking needs more memory than is allowed\n")),
    ],
)
def test_the_answer_of_the_process_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: Report | Exception,
    answer: tuple[int, str],
) -> None:
    """In this very process, so unlimited."""
    bound: list[tuple[int, int]] = []

    def checked(folder: Path) -> Report:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(validation, "_limit", lambda *limits: bound.append(limits))
    monkeypatch.setattr(validation, "check", checked)
    assert (main(["no/folder", "1000", "7"]), capsys.readouterr().out) == answer
    graph = SHIPPED_MODELS / TREES / str(shipped_version(TREES)) / "model.onnx"
    main([str(graph.parent), "1000", "7"])
    assert bound == [(1000, 7), (1000 + 7 * graph.stat().st_size, 7)]


def test_a_line_is_short_and_printable() -> None:
    assert one_line("a\n b\x1b[31m\u202e" + "c" * 999) == "a b[31m" + "c" * 293
