"""The transformer: starts as climatology, learns, resumes, exports what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.inference.embedded import EmbeddedServer
from backend.twin.features import INPUTS
from backend.twin.trajectory import HORIZON
from export_scripts import symptom_transformer, torch_training
from export_scripts.datasets import quantile_loss, simulated_windows
from export_scripts.onnx_export import GOLDEN_ROWS, PROOF_ROWS, parity, proof_cases
from export_scripts.symptom_transformer import (
    CPU_STEPS,
    MODEL,
    PRESETS,
    Preset,
    SymptomTransformer,
    main,
    pinball,
    predict,
    tensors,
    to_onnx,
    train,
)
from export_scripts.torch_training import Recipe

COMPACT = PRESETS["compact"]
TINY = Preset(
    *(8, 2, 1, 1, 8, 0.1),
    Recipe(8, 6, 2e-3, 1e-4, patience=9, save_every=2),
    *(Path("nowhere"), 1_000_000),
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small batches run faster on one thread, and tests may run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The specification's architecture at a size that a test can train."""
    monkeypatch.setitem(PRESETS, "specification", TINY)
    monkeypatch.setattr(symptom_transformer, "CHECKED", 50)


def weights(net: SymptomTransformer) -> np.ndarray:
    return np.concatenate(
        [p.detach().numpy().ravel() for p in net.state_dict().values()]
    )


def count(net: SymptomTransformer) -> int:
    return sum(p.numel() for p in net.parameters())


def stirred(preset: Preset) -> SymptomTransformer:
    """A net whose corrections are not zero."""
    torch.manual_seed(1)
    net = SymptomTransformer(preset)
    for last in (net.direct, net.correction):
        torch.nn.init.normal_(last.weight, std=0.1)
    return net


@pytest.mark.parametrize("preset", [COMPACT, TINY])
def test_an_untrained_net_forecasts_climatology(preset: Preset) -> None:
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=20)
    cases = {name: array[4:] for name, array in cases.items()}
    answer = predict(SymptomTransformer(preset), cases)
    np.testing.assert_array_equal(
        answer, np.repeat(cases["anchor"][:, None], HORIZON + 1, axis=1)
    )


def test_the_presets_are_one_architecture_in_two_sizes() -> None:
    assert 200_000 < count(SymptomTransformer(COMPACT)) < 300_000
    large = PRESETS["specification"]
    with torch.device("meta"):  # shapes without memory
        net = SymptomTransformer(large)
    assert 40_000_000 < count(net) < 60_000_000
    assert (len(net.encoders), len(net.decoders)) == (6, 6)
    attention = net.decoders[0].other
    assert (attention.heads, attention.drop.p) == (8, 0.1)
    assert net.encoders[0].feed[0].weight.shape == (2048, 512)
    assert large.recipe.batch == 64
    assert (large.recipe.peak_rate, large.recipe.decay) == (1e-4, 1e-5)
    assert 4 * count(net) < large.size_limit
    assert set(net.state_dict()) > set(SymptomTransformer(COMPACT).state_dict())


@pytest.mark.parametrize("silent", ["direct", "correction"])
def test_the_dense_part_and_the_decoder_both_answer(silent: str) -> None:
    net = stirred(TINY)
    torch.nn.init.zeros_(getattr(net, silent).weight)
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=20)
    gap = predict(net, cases) - cases["anchor"][:, None]
    assert (np.abs(gap[4:]).max(axis=(1, 2)) > 0.01).all()


def test_the_dense_part_sees_no_single_day() -> None:
    net = stirred(TINY)
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=30)
    other = {**cases, "history": cases["history"][::-1].copy()}
    assert np.abs(predict(net, cases) - predict(net, other))[4:26].max() > 1e-3
    torch.nn.init.zeros_(net.correction.weight)
    np.testing.assert_array_equal(predict(net, cases)[4:26], predict(net, other)[4:26])


def test_the_numbers_about_a_window_are_standardised() -> None:
    net = SymptomTransformer(TINY)
    windows = simulated_windows(np.random.default_rng(1), 400)
    net.standardise(windows)
    arrays = windows.arrays
    numbers = np.arcsinh(np.concatenate([arrays.context, arrays.anchor], axis=1))
    standard = (numbers - net.centre.numpy()) / net.spread.numpy()
    np.testing.assert_allclose(standard.mean(0), 0, atol=1e-4)
    assert (standard.std(0) < 1.001).all()
    assert np.median(standard.std(0)) > 0.98


def test_the_training_loss_is_the_loss_of_the_figures() -> None:
    rng = np.random.default_rng(1)
    rows = HORIZON + 1
    quantiles, target = rng.normal(size=(3, rows, 11)), rng.normal(size=(3, rows))
    found = pinball(torch.from_numpy(quantiles), torch.from_numpy(target))
    assert found.item() == pytest.approx(quantile_loss(quantiles, target).mean())


def test_a_short_training_already_helps_on_other_people(tmp_path: Path) -> None:
    checkpoint = tmp_path / "net.pt"
    net = train("compact", seed=1, steps=30, batch=64, checkpoint=checkpoint).net
    windows = simulated_windows(np.random.default_rng(99), 1000)
    history, context, anchor, target = tensors(windows)
    with torch.no_grad():
        trained = pinball(net(history, context, anchor), target)
        plain = pinball(SymptomTransformer(COMPACT)(history, context, anchor), target)
    assert trained < plain


@pytest.mark.usefixtures("tiny")
def test_a_killed_run_ends_as_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout, killed by the third save; what is learnt is the same."""
    run = {"preset": "specification", "seed": 3, "steps": 6}
    unbroken = train(**run, checkpoint=tmp_path / "one.pt")
    save, saves = torch.save, []

    def save_twice_then_die(state: object, path: Path) -> None:
        saves.append(path)
        if len(saves) == 3:
            raise KeyboardInterrupt
        save(state, path)

    monkeypatch.setattr(torch, "save", save_twice_then_die)
    with pytest.raises(KeyboardInterrupt):
        train(**run, checkpoint=tmp_path / "two.pt")
    assert torch.load(tmp_path / "two.pt")["progress"][0] == 4
    monkeypatch.setattr(torch, "save", save)
    resumed = train(**run, checkpoint=tmp_path / "two.pt")
    np.testing.assert_array_equal(weights(resumed.net), weights(unbroken.net))
    assert (resumed.done, resumed.best) == (6, unbroken.best)


@pytest.mark.usefixtures("tiny")
def test_a_checkpoint_is_of_its_preset_seed_steps_batch_and_people(
    tmp_path: Path,
) -> None:
    checkpoint = tmp_path / "net.pt"
    train("specification", seed=1, steps=1, batch=4, checkpoint=checkpoint)
    state = torch.load(checkpoint)
    run = {"preset": "specification", "seed": 1, "steps": 1, "batch": 4}
    assert state.items() >= run.items()
    assert set(state) == {*run, "origin", "net", "optimiser", "progress"}


@pytest.mark.parametrize("preset", [COMPACT, TINY])
def test_the_graph_answers_as_the_net_does(preset: Preset) -> None:
    net = stirred(preset)
    cases = proof_cases(INPUTS[MODEL], seed=1, rows=70)
    assert parity(to_onnx(net), cases, predict(net, cases)) < 1e-4


def arguments(tmp_path: Path, *more: str) -> list[str]:
    options = ["--batch", "8", "--held-out", "50", "--threads", "1", *more]
    places = {"work": "work", "repository": "repo", "key": "key.pem", "trusted": "pub"}
    for name, place in places.items():
        options += [f"--{name}", str(tmp_path / place)]
    return options


@pytest.mark.usefixtures("tiny")
def test_the_script_publishes_a_version_that_passes_its_canary(tmp_path: Path) -> None:
    """Its card says what was trained, and how far; TorchScript lies beside the work."""
    more = ["--steps", "2", "--preset", "specification", "--torchscript"]
    main(arguments(tmp_path, *more))
    server = EmbeddedServer(tmp_path / "repo", trusted=[tmp_path / "pub"])
    server.canary(MODEL, 1)
    card = server.catalogue[0].card
    training = card["training"]
    assert (training["steps"], training["steps_of_the_recipe"]) == (2, 6)
    assert (training["windows"], training["preset"]) == (16, "specification")
    assert training["parameters"] == count(SymptomTransformer(TINY))
    assert card["serving"]["size_bytes"] > 4 * training["parameters"]
    assert (tmp_path / "work" / f"{MODEL}-specification.torchscript.pt").exists()


@pytest.mark.parametrize(
    ("asked", "gpu", "expected"),
    [
        ("compact", False, (3000, 8000, PROOF_ROWS, "model_repository")),
        ("specification", False, (CPU_STEPS, 300, GOLDEN_ROWS, "var/models")),
        ("specification", True, (50_000, 8000, GOLDEN_ROWS, "var/models")),
        (
            "specification --steps 7 --held-out 9 --proof 80 --repository x",
            True,
            (7, 9, 80, "x"),
        ),
    ],
)
def test_what_is_not_said_follows_from_the_preset_and_the_machine(
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    gpu: bool,
    expected: tuple[int, int, int, str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    found = symptom_transformer._options(["--preset", *asked.split()])
    chosen = (found.steps, found.held_out, found.proof, str(found.repository))
    assert chosen == expected


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_killed_run_loses_no_more_than_it_has_to(preset: str) -> None:
    """Every check is a save as well; on a CPU there are saves before the end."""
    recipe = PRESETS[preset].recipe
    assert torch_training.CHECK_EVERY % recipe.save_every == 0
    assert preset == "compact" or recipe.save_every < CPU_STEPS
