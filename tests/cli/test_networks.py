"""`reelflow networks`: every network with its purpose and costs, of the clips that params say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reelflow.networks import NETWORKS, build, module_of, settings_of
from reelflow.networks.cost import multiply_adds
from tests.conftest import ROOT

CLIPS = "extract:\n  frames: 4\n  height: 24\n  width: 16\n"
HEAD = {"trained_blocks": 0, "over_time": "attention", "units": 8}


def call(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "networks", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    ).stdout


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("networks")
    params = f"{CLIPS}train:\n  finetune: {json.dumps(HEAD)}\n"
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    return {row["network"]: row for row in json.loads(call(folder, "--json", "--classes", "3"))}


def test_every_network_is_listed_with_what_it_is_for(rows: dict[str, dict[str, Any]]) -> None:
    assert tuple(rows) == NETWORKS
    assert {name: row["purpose"] for name, row in rows.items()} == {
        name: module_of(name).PURPOSE for name in NETWORKS
    }


def test_costs_are_those_of_the_clips_and_classes_asked_for(
    rows: dict[str, dict[str, Any]],
) -> None:
    clip = ((4, 24, 16, 3), 3, [0.0] * 3, [1.0] * 3)
    for name, settings in (("cnn", None), ("finetune", settings_of("finetune")(**HEAD))):
        network = build(name, *clip, settings)
        assert rows[name]["parameters"] == network.count_params()
        assert rows[name]["multiply_adds"] == multiply_adds(network)
    assert all(rows[name]["seconds"] > 0 for name in NETWORKS if "seconds" in rows[name])
    assert {name for name in NETWORKS if "seconds" not in rows[name]} == {"auto"}
    # MobileNet 0.25 by its paper: 41 million a picture of 224x224, here 32 in each of two views;
    # the second network looks once.
    assert 64 * 41e6 < rows["transfer"]["multiply_adds"] < 64 * 41e6 + 32 * 400e6
