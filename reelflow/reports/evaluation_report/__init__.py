"""The report: one page for a person who decides whether to trust the model.

`render` takes values and returns the whole page as text, made as `reelflow.reports.page` makes
pages: it reads no file but its own template and style, and asks for the frames of the few videos
that it shows, one at a time. The same values give the same bytes: no path in it but the videos'
own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelflow.reports import page, plots
from reelflow.reports.evaluation_report import examples, headline, tables, warnings
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.store.clip_spec import Clip

__all__ = ["Evaluation", "headline", "render", "warnings"]

HERE = Path(__file__).parent


def render(evaluation: Evaluation, clip: Callable[[str], Clip]) -> str:
    """The report as HTML.

    Args:
        evaluation: all that it shows.
        clip: the frames of a video by its hash, called for the examples alone.
    """
    return page.render(
        HERE,
        **_drawings(evaluation),
        **_words(evaluation),
        wrong=examples.figures(evaluation, examples.wrong(evaluation), clip),
        right=examples.figures(evaluation, examples.right(evaluation), clip),
    )


def _words(evaluation: Evaluation) -> dict[str, Any]:
    right = evaluation.predictions["label"] == evaluation.predictions["predicted"]
    confidence = evaluation.predictions["confidence"].astype(float)
    return {
        "evaluation": evaluation,
        "scores": evaluation.scores,
        "headline": evaluation.verdict.headline,
        "summary": headline.summary(evaluation),
        "warnings": warnings.warnings(evaluation),
        "classes": evaluation.tested(),
        "legend": _legend(evaluation),
        "confusion": tables.confusion(evaluation),
        "mistakes": tables.mistakes(evaluation),
        "splits": tables.splits(evaluation),
        "groups": tables.groups(evaluation),
        "confidence_right": float(confidence[right].mean()) if right.any() else None,
        "confidence_wrong": float(confidence[~right].mean()) if not right.all() else None,
    }


def _drawings(evaluation: Evaluation) -> dict[str, str]:
    colour = _colours(evaluation)
    return {
        "loss": plots.training(evaluation.history, "loss", evaluation.kept),
        "accuracy": plots.training(evaluation.history, "accuracy", evaluation.kept),
        "roc": plots.roc(evaluation.roc, colour) if colour else "",
        "pr": plots.precision_recall(evaluation.pr, colour) if colour else "",
    }


def _colours(evaluation: Evaluation) -> dict[str, str]:
    """The colour of each class that has curves."""
    classes = evaluation.scores["per_class"]
    drawn = evaluation.roc["label"].unique()
    return plots.colours({label: classes[label]["roc_auc"] for label in drawn})


def _legend(evaluation: Evaluation) -> dict[str, Any]:
    """What the curves' colours mean: the classes that have one, and how many share the muted."""
    colour = _colours(evaluation)
    own = [label for label in colour if colour[label] != plots.MUTED]
    return {
        "classes": [
            {
                "label": label,
                "variable": plots.VARIABLES[colour[label]],
                **evaluation.scores["per_class"][label],
            }
            for label in own
        ],
        "others": len(colour) - len(own),
    }
