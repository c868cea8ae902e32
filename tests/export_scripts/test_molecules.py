"""Molecules out of SMILES: every formula, every bond, and what is not read."""

from __future__ import annotations

import numpy as np
import pytest

from backend.twin.pharmacogenomics.drugs import drugs
from export_scripts.molecules import (
    BONDS,
    FEATURES,
    LARGEST,
    read_smiles,
    tensors_of,
)

# As labels and PubChem give them, written down by hand; not taken from a SMILES.
FORMULAS = {
    "amitriptyline": "C20H23N",
    "aripiprazole": "C23H27Cl2N3O2",
    "atomoxetine": "C17H21NO",
    "brexpiprazole": "C25H27N3O2S",
    "bupropion": "C13H18ClNO",
    "carbamazepine": "C15H12N2O",
    "citalopram": "C20H21FN2O",
    "clomipramine": "C19H23ClN2",
    "clozapine": "C18H19ClN4",
    "desipramine": "C18H22N2",
    "desvenlafaxine": "C16H25NO2",
    "doxepin": "C19H21NO",
    "duloxetine": "C18H19NOS",
    "escitalopram": "C20H21FN2O",
    "fluoxetine": "C17H18F3NO",
    "fluvoxamine": "C15H21F3N2O2",
    "haloperidol": "C21H23ClFNO2",
    "imipramine": "C19H24N2",
    "lamotrigine": "C9H7Cl2N5",
    "lithium": "CLi2O3",  # the carbonate
    "mirtazapine": "C17H19N3",
    "nortriptyline": "C19H21N",
    "olanzapine": "C17H20N4S",
    "oxcarbazepine": "C15H12N2O2",
    "paroxetine": "C19H20FNO3",
    "phenytoin": "C15H12N2O2",
    "quetiapine": "C21H25N3O2S",
    "risperidone": "C23H27FN4O2",
    "sertraline": "C17H17Cl2N",
    "trimipramine": "C20H26N2",
    "valproate": "C8H16O2",
    "venlafaxine": "C17H27NO2",
    "vortioxetine": "C18H22N2S",
}


def test_every_molecule_of_the_catalogue_has_its_formula() -> None:
    found = {
        name: read_smiles(one.smiles).formula()
        for name, one in drugs().items()
        if one.smiles
    }
    assert found == FORMULAS


@pytest.mark.parametrize(
    ("smiles", "formula"),
    [
        ("C", "CH4"),
        ("C#N", "CHN"),
        ("c1ccccc1", "C6H6"),
        ("c1cc[nH]c1", "C4H5N"),
        ("C(F)(F)F", "CHF3"),
        ("[NH4+]", "H4N"),
        ("O", "H2O"),
        ("F/C=C\\F", "C2H2F2"),
    ],
)
def test_small_molecules(smiles: str, formula: str) -> None:
    assert read_smiles(smiles).formula() == formula


@pytest.mark.parametrize("smiles", ["C%12", "[13C]", "Zz", "C*"])
def test_what_is_not_read_is_refused(smiles: str) -> None:
    with pytest.raises(ValueError, match="is not read"):
        read_smiles(smiles)


def test_bonds_between_rings_are_in_none() -> None:
    nodes, edges = tensors_of(["c1ccccc1CCC1=CC1", "[Li+].O"])
    assert nodes.shape == (2, LARGEST, FEATURES)
    in_ring = nodes[0, :11, -4]
    np.testing.assert_array_equal(in_ring, [1] * 6 + [0, 0] + [1] * 3)
    np.testing.assert_array_equal(edges[0].sum((1, 2)), [2 * 5, 2, 0, 2 * 6])
    np.testing.assert_array_equal(edges, edges.transpose(0, 1, 3, 2))
    assert not edges[1].any()  # what a dot parts
    assert nodes[1, 0, -2] == 1  # charge
    assert len(BONDS) == edges.shape[1]


def test_mirror_images_differ_in_their_mark_alone() -> None:
    nodes, edges = tensors_of(["C[C@H](N)O", "C[C@@H](N)O"])
    np.testing.assert_array_equal(nodes[0, :, :-1], nodes[1, :, :-1])
    np.testing.assert_array_equal(nodes[0, :, -1], -nodes[1, :, -1])
    np.testing.assert_array_equal(edges[0], edges[1])


def test_a_molecule_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="33 atoms are over 32"):
        tensors_of(["C" * 33])
