"""The sections of the evaluation report, in the order of reading.

A section is a template of this folder and a function of the evaluation and of the frames, which
returns what the template shows beside the evaluation, or None where there is nothing to show. To
add one, write both and name them in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reelflow.evaluation.abstention import WANTED
from reelflow.evaluation.label_errors import MOST
from reelflow.reports import plots
from reelflow.reports.evaluation_report import examples as best_and_worst
from reelflow.reports.evaluation_report import map_points as on_the_map
from reelflow.reports.evaluation_report import tables
from reelflow.reports.evaluation_report import warnings as doubts
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.evaluation_report.summary import summary
from reelflow.store.clip_spec import Clip

Frames = Callable[[str], Clip]
Shown = Mapping[str, Any] | None


def classes(evaluation: Evaluation, _: Frames) -> Shown:
    return {
        "classes": evaluation.tested(),
        "groups": tables.groups(evaluation),
        "more": tables.of_classes(evaluation),
    }


def curves(evaluation: Evaluation, _: Frames) -> Shown:
    """None without curves. Beyond the palette the weakest classes have colours, others are grey."""
    drawn = evaluation.roc["label"].unique()
    areas = {label: evaluation.scores["per_class"][label]["roc_auc"] for label in drawn}
    colour = plots.colours(areas)
    if not colour:
        return None
    roc, pr = (plots.curves(table, colour) for table in (evaluation.roc, evaluation.pr))
    return {"roc": roc, "pr": pr, **plots.legend(colour)}


def sureness(evaluation: Evaluation, _: Frames) -> Shown:
    """None where it was not measured."""
    found = evaluation.sureness
    if found is None:
        return None
    return {
        "wanted": WANTED,
        "reliability": plots.reliability(found.reliability),
        "coverage": plots.coverage(found.coverage),
    }


def examples(evaluation: Evaluation, frames: Frames) -> Shown:
    chosen = {"wrong": best_and_worst.wrong(evaluation), "right": best_and_worst.right(evaluation)}
    shown = {
        name: best_and_worst.figures(evaluation, rows, frames) for name, rows in chosen.items()
    }
    answers = evaluation.predictions.astype({"confidence": float})
    sure = answers.groupby(answers["label"] == answers["predicted"])["confidence"].mean()
    return {**shown, "confidence_right": sure.get(True), "confidence_wrong": sure.get(False)}


def clip_map(evaluation: Evaluation, frames: Frames) -> Shown:
    """None without places."""
    places = evaluation.places
    if places is None:
        return None
    return {
        "points": on_the_map.points(evaluation, places, frames),
        "drawn": len(places) < sum(map(len, evaluation.splits.values())),
        "width": on_the_map.WIDTH,
        "height": on_the_map.HEIGHT,
        "room": on_the_map.ROOM,
        **plots.legend(on_the_map.colours(evaluation)),
    }


def labels(evaluation: Evaluation, frames: Frames) -> Shown:
    """None where no label is suspect."""
    rows = evaluation.suspects
    if rows is None or rows.empty:
        return None
    shown = best_and_worst.figures(evaluation, rows.head(MOST), frames)
    asked = sum(map(len, evaluation.splits.values()))
    return {"shown": shown, "found": len(rows), "asked": asked}


def training(evaluation: Evaluation, _: Frames) -> Shown:
    """None for a head that is fitted in one step."""
    if evaluation.in_one_step:
        return None
    history, kept = evaluation.history, evaluation.best["best_epoch"]
    return {name: plots.training(history, name, kept) for name in ("loss", "accuracy")}


SECTIONS: dict[str, Callable[[Evaluation, Frames], Shown]] = {
    "headline": lambda of, _: {"summary": summary(of), "figures": tables.figures(of)},
    "warnings": lambda of, _: {"warnings": doubts.warnings(of)},
    "classes": classes,
    "mistakes": lambda of, _: {"mistakes": tables.mistakes(of), "confusion": tables.confusion(of)},
    "curves": curves,
    "sureness": sureness,
    "examples": examples,
    "map": clip_map,
    "labels": labels,
    "choice": lambda of, _: {} if of.candidates else None,
    "training": training,
    "data": lambda of, _: {"splits": tables.splits(of), "groups": tables.groups(of)},
    "method": lambda *_: {},
    "provenance": lambda *_: {},
}
