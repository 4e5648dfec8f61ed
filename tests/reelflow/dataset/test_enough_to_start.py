"""What is said of too few videos before one is decoded; and that the stages would say no less."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.dataset.enough_to_start import shortage
from reelflow.dataset.split_ledger import Ledger
from reelflow.dataset.splits import divide
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.params.ingest import IngestParams
from reelflow.params.validate import ValidateParams

SHARES = {"train": 0.65, "validation": 0.15, "test": 0.2}


def videos(**counts: int) -> list[LabelledVideo]:
    return [LabelledVideo(f"{label}/{i}", label) for label, n in counts.items() for i in range(n)]


def said(found: list[LabelledVideo]) -> str:
    return shortage(found, IngestParams(), ValidateParams())


def test_enough_is_enough() -> None:
    assert said(videos(hop=3, sit=3)) == ""


def test_one_class_is_too_few() -> None:
    assert said(videos(hop=9)).startswith("There is one class only (hop)")


def test_each_class_with_too_few_videos_is_named_and_the_higher_bound_counts() -> None:
    found = videos(hop=4, run=9, sit=1)
    told = "Too few videos: hop has 4, sit has 1; {}.min_videos_per_class asks for 5."
    few, more = {"min_videos_per_class": 3}, {"min_videos_per_class": 5}
    for ingest, validate, section in ((more, few, "ingest"), (few, more, "validate")):
        said_of = shortage(found, IngestParams(**ingest), ValidateParams(**validate))
        assert said_of.startswith(told.format(section))


def test_videos_of_one_group_count_once() -> None:
    found = [LabelledVideo(f"hop/{i}", "hop", f"g{i % 2}") for i in range(9)]
    assert said([*found, *videos(sit=3)]).startswith(
        "Too few groups: hop has 2; validate.min_groups_per_class asks for 3"
    )


@pytest.mark.parametrize(
    ("hop", "stops"),
    [
        ({"g": ["train", "train"], "h": ["test"], "i": [None]}, False),
        ({"g": ["train", "test"], "h": [None], "i": [None]}, True),
        ({"g": ["train"], "h": ["test"], "i": ["test"]}, True),
        ({"g": ["train"], "h": ["train"], "i": ["train"], "j": ["test"]}, False),
        ({"g": ["test"], "h": ["test"], "i": ["test"], "": [None]}, True),
    ],
)
def test_groups_and_splits_are_judged_as_the_division_judges_them(
    tmp_path: Path, hop: dict[str, list[str | None]], *, stops: bool
) -> None:
    found = videos(sit=5) + [
        LabelledVideo(f"hop/{group}{i}", "hop", group or None, split)
        for group, splits in hop.items()
        for i, split in enumerate(splits)
    ]
    table = pd.DataFrame([vars(video) for video in found]).astype(object)
    table = table.assign(hash=table["path"], alike=None)
    sentence = ""
    try:
        divide(table, Ledger.read(tmp_path / "none.csv"), SHARES, 0)
    except DataError as error:
        sentence = str(error)
    assert bool(sentence) == stops
    assert said(found) == sentence
