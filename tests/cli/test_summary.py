"""The end of a run on the screen: what the reports say first stands there, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.summary import print_summary
from flows.engine.stage_outcomes import PipelineResult

CLASS = {"recall": 1.0}
EVALUATED: dict[str, Any] = {
    "accuracy": 1.0,
    "accuracy_low": 0.4,
    "accuracy_high": 1.0,
    "baseline_accuracy": 0.5,
    "interval_confidence": 0.95,
    "per_class": {"a": CLASS, "b": CLASS},
    "verdict": {"headline": "Too few test videos to say how good this model is"},
    "cautions": [f"Caution {number} of \x1b[31m“[/bold]”." for number in range(6)],
}


def test_the_headlines_and_the_gravest_cautions_of_both_reports_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("metrics").mkdir()
    data = {"headline": "Fit to learn from, with 1 reservation", "cautions": ["All are dark."]}
    for stage, told in {"evaluate": EVALUATED, "validate": data}.items():
        Path(f"metrics/{stage}.json").write_text(json.dumps(told))
    print_summary(PipelineResult([]))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    said = lines[lines.index(f"verdict       {EVALUATED['verdict']['headline']}") + 1 :]
    indent = " " * 14
    assert said[:7] == [
        *(rf"{indent}! Caution {number} of \x1b[31m“[/bold]”." for number in range(4)),
        f"{indent}! 2 more: reports/index.html",
        "data          Fit to learn from, with 1 reservation",
        f"{indent}! All are dark.",
    ]
