"""One function and one line: a metric, a warning and a section that a test adds are shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelflow.evaluation import metrics
from reelflow.evaluation.answers import Answers
from reelflow.reports import data_report, evaluation_report
from tests.evaluations import MIXED, clip, evaluation
from tests.reelflow.reports.test_data_report import data_set, frames


@pytest.fixture
def section(tmp_path: Path) -> Any:
    """A section with a template of its own, which shows a label as text, and one of nothing."""
    (tmp_path / "new.html.jinja").write_text('<section id="new"><h2>{{ label }}</h2></section>\n')
    new = {str(tmp_path / "new"): lambda subject, _: {"label": f"<{subject.labels[0]}>"}}
    return {**new, "nothing": lambda *_: None}


def test_a_section_of_the_evaluation_report(section: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = evaluation_report.sections
    monkeypatch.setattr(module, "SECTIONS", {**module.SECTIONS, **section})
    page = evaluation_report.render(evaluation(*MIXED), clip)
    assert page.index("Provenance") < page.index('<section id="new"><h2>&lt;left&gt;</h2>')
    assert page.rstrip().endswith("</html>")


def test_a_section_of_the_data_report(section: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = data_report.sections
    monkeypatch.setattr(module, "SECTIONS", {**section, **module.SECTIONS})
    page = data_report.render(data_set(), frames)
    assert page.index('<section id="new"><h2>&lt;') < page.index("The classes")


@pytest.mark.parametrize("report", [data_report, evaluation_report])
def test_a_warning(report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = report.warnings.WARNINGS
    warning = lambda subject: [f"The first class is {subject.labels[0]}."]  # noqa: E731
    monkeypatch.setattr(report.warnings, "WARNINGS", (warning, *found))
    page = (
        data_report.render(data_set(), frames)
        if report is data_report
        else evaluation_report.render(evaluation(*MIXED), clip)
    )
    assert "<li>The first class is " in page


def test_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    def mean_confidence(answers: Answers, weights: Any) -> Iterator[metrics.Figure]:
        sure = weights @ answers.probabilities.max(axis=1) / weights.sum(axis=1)
        yield metrics.Figure("mean_confidence", sure, answers.whole, compared=True)

    def false_negatives(answers: Answers, weights: Any) -> Iterator[metrics.Figure]:
        actual = answers.one_hot(answers.targets)
        missed = weights @ (actual * ~answers.right[:, None]) / (weights @ actual)
        yield metrics.Figure("missed", missed, answers.behind(actual), compared=True)

    monkeypatch.setattr(metrics, "METRICS", (*metrics.METRICS, mean_confidence, false_negatives))
    shown = evaluation(*MIXED)
    assert 0.7 < shown.scores["mean_confidence"] <= 0.8
    assert {"mean_confidence", "macro_missed"} < set(metrics.compared(shown.scores))
    page = evaluation_report.render(shown, clip)
    for title in ("Mean confidence", "Macro missed"):
        assert f'<th scope="row">{title}</th>' in page
    assert '<th class="n">missed</th>' in page
