"""Params given to a deployment: checked, then written into params.yaml for all to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import modify_yaml

from flows.engine.params_override import set_params
from reelflow.base.errors import ParamsError
from reelflow.params import load_all
from tests.conftest import ROOT

TEXT = """\
# every knob

train:
  epochs: 30  # most passes
  optimizer: adam
"""


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("values", [{"train.epochs": 3}, {"train": {"epochs": 3}}])
def test_a_value_is_changed_and_nothing_else(params: Path, values: dict[str, Any]) -> None:
    set_params(params, values)
    assert params.read_text() == TEXT.replace("30", "3 ")


def test_of_the_real_file_one_line_changes(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    set_params(path, {"train.epochs": 3})
    after = path.read_text(encoding="utf-8").splitlines()
    changed = [new for new, old in zip(after, before.splitlines(), strict=True) if new != old]
    assert len(changed) == 1
    assert changed[0].split("#")[0].split() == ["epochs:", "3"]


def test_dvc_changes_the_one_line_that_it_is_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    with modify_yaml(str(path)) as content:  # how `dvc exp run -S` writes
        content["train"]["learning_rate"] = 1e-5
    after = path.read_text(encoding="utf-8").splitlines()
    changed = [new for new, old in zip(after, before.splitlines(), strict=True) if new != old]
    assert [line.split()[:2] for line in changed] == [["learning_rate:", "1e-05"]]
    assert load_all(path)["train"].model_dump()["learning_rate"] == 1e-5


@pytest.mark.parametrize(
    "values",
    [
        {"train.learning_rate": 1e-5},
        {"ingest.group_pattern": r"_(?P<group>g\d+)_"},
        {"ingest.links_to": ["/a b", "/c"]},
        {"train.flip": True},
    ],
)
def test_what_is_written_is_what_is_read(tmp_path: Path, values: dict[str, Any]) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes((ROOT / "params.yaml").read_bytes())
    set_params(path, values)
    [(name, value)] = values.items()
    section, key = name.split(".")
    assert load_all(path)[section].model_dump()[key] == value
    assert "# " in path.read_text(encoding="utf-8").split(f"  {key}:")[1].splitlines()[0]


def test_a_section_that_is_not_there_is_added(params: Path) -> None:
    set_params(params, {"evaluate.seed": 7})
    assert params.read_text() == TEXT + "evaluate:\n  seed: 7\n"


def test_a_section_that_is_empty_is_filled(params: Path) -> None:
    params.write_text(f"{TEXT}evaluate:\n")
    set_params(params, {"evaluate.seed": 7})
    assert params.read_text() == TEXT + "evaluate:\n  seed: 7\n"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"train.epoch": 3}, "Did you mean `train.epochs`?"),
        ({"train.epochs": "three"}, "`train.epochs` is 'three'"),
        ({"train.epochs": 0}, "`train.epochs` is 0"),
        ({"trian.epochs": 3}, "unknown section `trian`"),
        ({"train": 3}, "`train` must hold keys and values"),
        ({"train.epochs.more": 3}, "`train.epochs` is a value and has no key `more`"),
    ],
)
def test_what_is_not_allowed_is_said_and_changes_nothing(
    params: Path, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ParamsError) as caught:
        set_params(params, {"train.optimizer": "sgd", **values})
    assert said in str(caught.value)
    assert str(params) in str(caught.value)
    assert params.read_text() == TEXT
    assert [path.name for path in params.parent.iterdir()] == ["params.yaml"]
