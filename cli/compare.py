"""`reelflow compare`: which of two models is better on the same videos, and is that noise?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli.options import Json
from reelflow.base.terminal import printable

_SIDE = (
    "a version (3, champion, models:/NAME/3), an MLflow run id, a git revision, a csv of "
    "predictions, or . for what lies here"
)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=f"One side: {_SIDE}.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other side, likewise.")] = ".",
    as_json: Json = False,
) -> None:
    """Compare B with A on the test videos that both predicted: reports/compare.html."""
    from flows.compare import PAGE
    from flows.compare import compare as compared

    found = compared(first, second)
    if as_json:
        told = {"headline": found.headline, **asdict(found.paired), **found.left_out}
        flips = found.flips.astype(object).where(found.flips.notna(), None).to_dict("records")
        print(json.dumps({**told, "flips": flips}, indent=2))
        return
    print(printable(found.headline))
    for sentence in found.sentences:
        print(printable(sentence))
    print(f"page: {PAGE}")
