"""`dvc.yaml` tells the truth: about what a stage imports, reads from params, and is called."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from reelflow import params
from reelflow.networks import NETWORKS
from reelflow.params.train import TrainParams
from tests.closure import missing_from
from tests.conftest import ROOT

STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_file_that_its_module_imports(stage: str) -> None:
    missing = missing_from(STAGES[stage]["deps"], f"tasks.{stage}")
    assert not missing, "add to its deps:\n" + "\n".join(f"      - {path}" for path in missing)


@pytest.mark.parametrize("stage", STAGES)
def test_one_name_runs_through_the_house(stage: str) -> None:
    body = STAGES[stage]
    assert body["cmd"] == f"python -m tasks.{stage}"
    assert (ROOT / "tasks" / f"{stage}.py").is_file()
    outs = [next(iter(out)) if isinstance(out, dict) else out for out in body["outs"]]
    assert f"metrics/{stage}.json" in outs


def test_what_dvc_compares_is_one_small_file() -> None:
    assert [path for stage in STAGES.values() for path in stage.get("metrics", [])] == [
        {"metrics/summary.json": {"cache": False}}
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_every_section_of_params_that_it_reads(stage: str) -> None:
    source = (ROOT / "tasks" / f"{stage}.py").read_text(encoding="utf-8")
    read = set(re.findall(r"^from reelflow\.params\.(\w+) import", source, re.MULTILINE))
    if "load_all(" in source:
        # Those of `train` are read of the model's card.
        read = set(params.STAGES) - {"train"}
    assert {name.partition(".")[0] for name in STAGES[stage]["params"]} == read


def test_train_depends_on_what_networks_share_and_on_the_settings_of_its_own_network() -> None:
    shared = TrainParams.model_fields.keys() - set(NETWORKS)
    declared = {f"train.{name}" for name in shared} | {"train.${train.network}"}
    assert set(STAGES["train"]["params"]) == declared


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_code_that_does_not_exist(stage: str) -> None:
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith(("reelflow", "tasks"))]
    assert all((ROOT / path).exists() for path in code)


def test_every_section_but_that_of_the_search_is_a_stage() -> None:
    assert tuple(STAGES) == params.STAGES
