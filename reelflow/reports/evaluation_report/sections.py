"""The sections of the evaluation report, in the order of reading.

A section is a function of the evaluation and of the frames. It returns HTML, a template of this
folder filled with values, or None where there is nothing to show. To add one, write the function
and the template and name it in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelflow.evaluation.abstention import WANTED
from reelflow.evaluation.label_errors import MOST
from reelflow.reports import plots
from reelflow.reports.evaluation_report import examples as best_and_worst
from reelflow.reports.evaluation_report import headline as words
from reelflow.reports.evaluation_report import points as on_the_map
from reelflow.reports.evaluation_report import tables
from reelflow.reports.evaluation_report import warnings as doubts
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.page import fragment
from reelflow.store.clip_spec import Clip

Frames = Callable[[str], Clip]
Section = Callable[[Evaluation, Frames], str | None]


def _fill(name: str, evaluation: Evaluation, **values: Any) -> str:
    return fragment(
        Path(__file__).with_name(f"{name}.html.jinja"),
        evaluation=evaluation,
        scores=evaluation.scores,
        **values,
    )


def _of(name: str, **made: Callable[[Evaluation], Any]) -> Section:
    """A section that is a template, and what the template shows of the evaluation."""
    return lambda of, _: _fill(name, of, **{key: make(of) for key, make in made.items()})


def curves(evaluation: Evaluation, _: Frames) -> str | None:
    """None without curves. Beyond the palette the weakest classes have colours, others are grey."""
    by_class = evaluation.scores["per_class"]
    drawn = evaluation.roc["label"].unique()
    colour = plots.colours({label: by_class[label]["roc_auc"] for label in drawn})
    if not colour:
        return None
    own = [label for label in colour if colour[label] != plots.MUTED]
    return _fill(
        "curves",
        evaluation,
        roc=plots.curves(evaluation.roc, colour),
        pr=plots.curves(evaluation.pr, colour),
        others=len(colour) - len(own),
        classes=[
            {"label": label, "variable": plots.VARIABLES[colour[label]], **by_class[label]}
            for label in own
        ],
    )


def sureness(evaluation: Evaluation, _: Frames) -> str | None:
    """None where it was not measured."""
    found = evaluation.sureness
    if found is None:
        return None
    return _fill(
        "sureness",
        evaluation,
        calibration=found.calibration,
        abstention=found.abstention,
        wanted=WANTED,
        reliability=plots.reliability(found.reliability),
        coverage=plots.coverage(found.coverage),
    )


def examples(evaluation: Evaluation, frames: Frames) -> str:
    answers = evaluation.predictions
    right = answers["label"] == answers["predicted"]
    sure = answers["confidence"].astype(float)
    return _fill(
        "examples",
        evaluation,
        wrong=best_and_worst.figures(evaluation, best_and_worst.wrong(evaluation), frames),
        right=best_and_worst.figures(evaluation, best_and_worst.right(evaluation), frames),
        confidence_right=float(sure[right].mean()) if right.any() else None,
        confidence_wrong=float(sure[~right].mean()) if not right.all() else None,
    )


def clip_map(evaluation: Evaluation, frames: Frames) -> str | None:
    """None without places."""
    places = evaluation.places
    if places is None:
        return None
    colour = on_the_map.colours(evaluation)
    own = {n: plots.VARIABLES[c] for n, c in colour.items() if c != plots.MUTED}
    return _fill(
        "map",
        evaluation,
        points=on_the_map.points(evaluation, places, frames),
        drawn=len(places) < sum(len(split) for split in evaluation.splits.values()),
        left_out=len(evaluation.left_out),
        classes=[{"label": label, "variable": variable} for label, variable in own.items()],
        others=len(colour) - len(own),
        width=on_the_map.WIDTH,
        height=on_the_map.HEIGHT,
        room=on_the_map.ROOM,
    )


def labels(evaluation: Evaluation, frames: Frames) -> str | None:
    """None where no label is suspect."""
    rows = evaluation.suspects
    if rows is None or rows.empty:
        return None
    shown = best_and_worst.figures(evaluation, rows.head(MOST), frames)
    asked = sum(len(split) for split in evaluation.splits.values())
    return _fill("labels", evaluation, shown=shown, found=len(rows), asked=asked)


def choice(evaluation: Evaluation, _: Frames) -> str | None:
    """None where nothing was chosen."""
    return _fill("choice", evaluation) if evaluation.candidates else None


def training(evaluation: Evaluation, _: Frames) -> str | None:
    """None for a head that is fitted in one step."""
    if evaluation.in_one_step:
        return None
    loss, accuracy = (
        plots.training(evaluation.history, name, evaluation.kept) for name in ("loss", "accuracy")
    )
    return _fill("training", evaluation, loss=loss, accuracy=accuracy)


SECTIONS: tuple[Section, ...] = (
    _of("headline", summary=words.summary, figures=tables.figures),
    _of("warnings", warnings=doubts.warnings),
    _of("classes", classes=Evaluation.tested, groups=tables.groups, more=tables.of_classes),
    _of("mistakes", mistakes=tables.mistakes, confusion=tables.confusion),
    curves,
    sureness,
    examples,
    clip_map,
    labels,
    choice,
    training,
    _of("data", splits=tables.splits, groups=tables.groups),
    _of("method"),
    _of("provenance"),
)
