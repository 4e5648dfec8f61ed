"""`reelflow predict`: label and probabilities of video files, by a registered model.

Predictions go to stdout, errors to stderr. A file that cannot be used only makes the exit status
1; the others are predicted all the same.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json, Model, Videos, model_here, with_folders
from cli.printing import print_any_name, show_table
from reelflow.base.terminal import printable

if TYPE_CHECKING:
    from reelflow.registry.ask_model import Answer

# With more labels than these, a column each would not fit a screen.
LABELS_IN_COLUMNS = 8
MOST_LIKELY = 4


def predict(
    files: Videos,
    model: Model = "",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a row a file.")] = False,
) -> None:
    """Predict the label of each video FILE, with the probability of every label."""
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    files = with_folders(files)
    from reelflow.base.progress import track
    from reelflow.registry.ask_model import asking

    with asking(model_here(model)) as asked:
        asked_for = track(files, len(files), "predicting") if len(files) > 1 else files
        answers = [asked.answer(file) for file in asked_for]
    print_any_name()
    if as_json:
        print(json.dumps([asdict(answer) for answer in answers], indent=2))
    elif as_csv:
        _print_csv(answers, asked.labels)
    else:
        _print_table(answers, asked.labels, asked.source)
    unusable = [answer for answer in answers if answer.error]
    for answer in unusable:
        print(f"{printable(answer.path)}: {printable(str(answer.error))}", file=sys.stderr)
    if unusable:
        raise typer.Exit(1)


def _print_csv(answers: Sequence[Answer], labels: Sequence[str]) -> None:
    import pandas as pd

    from reelflow.base.csv_table import csv_text

    columns = ["path", "label", "confidence", *(f"p_{label}" for label in labels)]
    columns += ["caution", "error"]
    rows = [
        [a.path, a.label, a.confidence, *map(a.probabilities.get, labels), a.caution, a.error]
        for a in answers
    ]
    print(csv_text(pd.DataFrame(rows, columns=columns, dtype=object)), end="")


def _print_table(answers: Sequence[Answer], labels: Sequence[str], source: str) -> None:
    from rich.text import Text

    many = len(labels) > LABELS_IN_COLUMNS
    columns = [("probabilities", "left")] if many else [(label, "right") for label in labels]
    rows: list[list[str | Text]] = []
    for answer in answers:
        ranked = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])
        likely = "  ".join(f"{printable(label)} {p:.3f}" for label, p in ranked[:MOST_LIKELY])
        shares = [likely] if many else [f"{p:.3f}" for p in answer.probabilities.values()]
        label = Text("not usable", "red") if answer.error else Text(printable(answer.label or ""))
        rows.append([answer.path, label, *shares])
    console = show_table([("video", "fold"), ("label", "fold"), *columns], rows)
    for answer in answers:
        if answer.caution:
            console.print(Text(printable(f"{answer.path}: {answer.caution}"), "yellow"))
    console.print(Text(printable(f"by {source}"), style="dim"))
