"""The treatment response net: training, proof, one file.

    make export M=treatment_response                              # var/models
    make export M=treatment_response ARGS="--repository model_repository"
    make export M=treatment_response PRESET=specification         # var/models

For a person and a medicine: how probable a response is, where that lies among others on
the medicine, how far the answer can be relied on, and each side effect's probability.
People, treatments and outcomes are simulated. The net is in `response_net`, the
architecture as first specified in `response_specification`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from backend.twin.pharmacogenomics.response_inputs import MODEL
from export_scripts import response_specification
from export_scripts.command_line import positive, refusals_told
from export_scripts.correlation_card import Evidence
from export_scripts.onnx_export import Places
from export_scripts.onnx_export import check as check_graph
from export_scripts.response_card import publish
from export_scripts.response_net import Compact, OneHot, Responses
from export_scripts.response_training import (
    REFERENCE,
    TOLERANCE,
    figures,
    logistic,
    predict,
    proof_cases,
    proven,
    run_of,
    to_onnx,
    train,
    with_reference,
)
from export_scripts.torch_training import Recipe

RECIPE = Recipe(1024, 8_000, 3e-3, 1e-4, patience=25, save_every=500)


def compact(seed: int) -> Compact:
    """A net that learnt nothing yet."""
    torch.manual_seed(seed)
    return Compact(OneHot)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the baseline and the net, prove, publish."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    if options.preset == "specification":
        response_specification.make(options)
        return
    plain = logistic(options.work, seed=options.seed)
    steps = options.steps or RECIPE.steps
    run = run_of("compact", seed=options.seed, steps=steps, recipe=RECIPE)
    place = options.work / f"{MODEL}.pt"
    training = train(compact(options.seed), recipe=RECIPE, run=run, checkpoint=place)
    net = with_reference(training.net.cpu(), options.people)
    metrics = figures(net, seed=options.seed, plain=plain, count=options.people * 5)
    print(json.dumps({n: metrics[n] for n in ("model", "share_of_oracle")}, indent=1))
    told = {
        "preset": "compact",
        "seed": options.seed,
        "steps": training.done,
        "windows": training.done * RECIPE.batch,
        "steps_of_the_recipe": steps,
        "finished": True,
        "parameters": sum(p.numel() for p in net.parameters()),
    }
    publish_net(net, metrics=metrics, told=told, options=options)


def publish_net(
    net: Responses,
    *,
    metrics: dict[str, Any],
    told: dict[str, Any],
    options: argparse.Namespace,
) -> Path:
    """Prove, sign, put into the repository."""
    cases, graph = proof_cases(), to_onnx(net)
    check_graph(graph)
    expected = predict(net, cases)
    off = proven(graph, cases, expected)
    parity = {"tolerance": TOLERANCE, "max_abs": off, "rows": len(expected)}
    where = Places(*(options.repository, options.key, options.trusted, options.version))
    return publish(
        *(graph, cases, expected), evidence=Evidence(metrics, told, parity), where=where
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=MODEL)
    parser.add_argument("--preset", choices=("compact", "specification"))
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument("--steps", type=positive, help="default: by preset")
    parser.add_argument(
        "--people", type=positive, default=REFERENCE, help="reference; five times that "
    )
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--work", type=Path, default=Path("var/training"))
    parser.add_argument("--repository", type=Path, default=Path("var/models"))
    parser.add_argument("--version", type=int)
    parser.add_argument("--key", type=Path, default=Path("var/keys/export.pem"))
    parser.add_argument("--trusted", type=Path, default=Path("var/keys/trusted"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with refusals_told():
        main()
