"""A vector from a molecule, and the comparison with one that is learnt by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.twin.pharmacogenomics.response_inputs import OPTIONS
from export_scripts import response_molecules as module
from export_scripts.response_molecules import (
    LEFT_OUT,
    Molecules,
    compared,
    main,
    section,
)
from export_scripts.response_section import part
from export_scripts.torch_training import Recipe

ORACLE = "the simulator's own probabilities"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "RECIPE", Recipe(32, 9, 3e-3, 1e-4, patience=9, save_every=5)
    )
    monkeypatch.setattr(module, "SEEDS", (1, 2))
    monkeypatch.setattr("export_scripts.response_training.CHECKED", 50)
    monkeypatch.setattr(
        module.train,
        "__kwdefaults__",
        {
            **module.train.__kwdefaults__,
            "checked": 50,
        },
    )


def test_each_molecule_has_a_vector_of_its_own() -> None:
    torch.manual_seed(1)
    net = Molecules(5, inside=8)
    found = net()
    assert found.shape == (len(OPTIONS), 5)
    gaps = torch.cdist(found, found) + torch.eye(len(OPTIONS))
    assert gaps.min() > 1e-6  # mirror images, too


def test_places_without_an_atom_say_nothing() -> None:
    torch.manual_seed(1)
    net = Molecules(5, inside=8)
    before = net()
    net.nodes[net.share[..., 0] == 0] = 7.0
    torch.testing.assert_close(net(), before)


def test_what_is_left_out_is_what_is_scored(tmp_path: Path) -> None:
    found = compared(tmp_path, steps=1, count=300, left_out=LEFT_OUT)
    assert [len(each) for each in found.values()] == [2, 2, 1]
    rows = module._scored(300, np.array([2, 4]))
    assert set(rows.option) == {2, 4}


@pytest.mark.parametrize(
    ("name", "molecule", "said"),
    [
        ([0.62, 0.63], [0.60, 0.61], "the molecule where every"),
        ([0.60, 0.61], [0.62, 0.63], "the name where every"),
        ([0.60, 0.63], [0.61, 0.62], "neither where every"),
    ],
)
def test_the_better_one_is_better_every_time(
    name: list[float], molecule: list[float], said: str
) -> None:
    every = {
        one: [[0.65, score, 0.38] for score in scores]
        for one, scores in (("its name", name), ("its molecule", molecule))
    }
    every[ORACLE] = [[0.66, 0.6, 0.37]]
    text = "\n".join(section(every, every, steps=1, count=2))
    assert said in text
    assert f"| its name | 0.6500 [0.6500, 0.6500] | {np.mean(name):.4f} [" in text
    assert f"| {ORACLE} | 0.6600 | 0.6000 | 0.3700 |" in text


def test_the_program_writes_its_part_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Other\n\nkept\n\n# Speed\n\nlast\n", encoding="utf-8")
    main(
        ["--steps", "1", "--count", "300", "--work", str(tmp_path), "--page", str(page)]
    )
    text = page.read_text(encoding="utf-8")
    assert text.index("kept") < text.index("# Treatment response")
    assert text.index("## Molecule or name") < text.index("# Speed")
    assert "| the medicine alone |" in text


def test_without_a_card_of_the_specification_there_is_no_section(
    tmp_path: Path,
) -> None:
    assert "As first specified" not in part([], specified=tmp_path)
