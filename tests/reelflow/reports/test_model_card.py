"""The model card: what it says, and that a label in it is no markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelflow.base.csv_table import read_cells
from reelflow.base.split_names import SPLITS
from reelflow.reports.model_card import render
from tasks.common.stage_inputs import read_json
from tests.outputs import write_outputs


def card(folder: Path, **changes: Any) -> str:
    write_outputs(folder)
    splits = {name: read_cells(folder / f"data/prepared/{name}.csv") for name in SPLITS}
    model = {**read_json(folder / "models/model.json"), **changes}
    scores = read_json(folder / "metrics/evaluate.json")
    data = read_json(folder / "metrics/validate.json")
    return render("mine", model, scores, data, splits, "ask()")


def test_it_says_what_the_model_is_how_good_and_what_to_beware_of(tmp_path: Path) -> None:
    text = card(tmp_path)
    for heading in ("The model", "Intended use", "Data", "How good it is", "What to beware of"):
        assert f"\n## {heading}\n" in text
    assert text.startswith("# mine\n\n**Right for 75%**\n\nIt beats the 0.33 of a constant answer.")
    assert "- It reads 4 frames of 32 × 32 pixels" in text
    assert "| jump | 2 | 2 | 2 |" in text
    assert "| all | 6 of 5 groups | 6 of 5 groups | 6 of 5 groups |" in text
    assert "| balanced accuracy | 75% | " in text
    assert "- All are dark." in text
    assert "settings of the training: epochs 2" in text
    assert card(tmp_path) == text


def test_nothing_in_it_is_markup_of_somebody_elses(tmp_path: Path) -> None:
    assert r"- “\<b\>\[x\](y)” is rare." in card(tmp_path)
    labels = ["a|b", "<i>", "c\n## d"]
    text = card(tmp_path, labels=labels)
    assert r"| a\|b | 0 | 0 | 0 |" in text
    assert r"| c\\n## d |" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"temperature": 1.5}, "calibrated with the temperature 1.5."),
        ({"embedding": {}}, "reads features from pretrained networks"),
    ],
)
def test_what_a_model_has_beside_is_said(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    assert says in card(tmp_path, **changes)
    assert says not in card(tmp_path)
