"""Stage `preprocess`: split the videos, and compute what training needs to scale and weigh them.

Reads `data/manifest.parquet`, `data/frames/` and the former `data/ledger.csv`; writes
`data/prepared/` (a csv a split, `meta.json`), `metrics/preprocess.json` and, last, the ledger, in
which every video keeps its split. Run alone with `python -m tasks.preprocess`.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import pandas as pd

from reelflow.base.csv_table import write_table
from reelflow.base.files import write_json
from reelflow.base.split_names import SPLITS
from reelflow.base.words import count
from reelflow.dataset.class_weights import class_weights
from reelflow.dataset.data_hash import data_hash
from reelflow.dataset.groups_in_names import without_group
from reelflow.dataset.split_ledger import ANEW, Ledger
from reelflow.dataset.splits import Division, divide
from reelflow.intake.labelled_videos import made_up_test
from reelflow.params import load_section
from reelflow.params.preprocess import PreprocessParams
from reelflow.store.frame_store import FrameStore
from reelflow.store.pixel_statistics import pixel_statistics
from tasks.common.extracted_videos import extracted_videos
from tasks.common.paths import FRAMES, LEDGER, METRICS, PARAMS, PREPARED
from tasks.common.stage import run

log = logging.getLogger(__name__)


def main() -> None:
    """Divide the videos, write the splits and the ledger, and log the warnings."""
    params = load_section(PARAMS, PreprocessParams)
    store = FrameStore(FRAMES)
    manifest = extracted_videos()
    ledger = _ledger(manifest)
    division = divide(manifest, ledger, params.shares, params.seed)
    videos = division.videos
    if division.left_out:
        log.info("left out as near-duplicates: %s", ", ".join(division.left_out))
    if division.moved:
        log.info("%d videos moved to their official splits", len(division.moved))
    made_up = made_up_test(manifest["split"].astype(object).where(manifest["split"].notna(), None))
    warnings = [*([made_up] if made_up else []), *_warnings(division, params)]
    for warning in warnings:
        log.warning(warning)

    training = videos[videos["split"] == "train"]
    meta = _meta(videos, training, store)
    _write_splits(videos, meta["labels"])
    write_json(PREPARED / "meta.json", meta)
    counted = {"left_out": len(division.left_out), "warnings": len(warnings)}
    write_json(METRICS / "preprocess.json", {**_metrics(videos), **counted})
    # Last, so that a run that is killed before makes the same division again.
    ledger.updated(videos).write()
    counts = ", ".join(f"{(videos['split'] == split).sum()} {split}" for split in SPLITS)
    log.info("%d videos: %s", len(videos), counts)


def _ledger(manifest: pd.DataFrame) -> Ledger:
    found = Ledger.read(LEDGER)
    ledger = found.for_videos(manifest["hash"])
    if len(found.rows) and not len(ledger.rows):
        log.info(
            "%s knows none of these videos: it is another data set's, and a new one begins. The "
            "former one is in git, if it was committed.",
            LEDGER,
        )
    return ledger


def _warnings(division: Division, params: PreprocessParams) -> list[str]:
    warnings = []
    videos = division.videos
    if ungrouped := without_group(videos):
        warnings.append(f"{ungrouped} To split by new groups, delete {LEDGER}: {ANEW}.")
    test = videos[videos["split"] == "test"]
    groups = _sources(test).nunique()
    if groups < params.min_test_groups:
        warnings.append(
            f"The test has {len(test)} videos of {count(groups, 'group')}, "
            f"fewer than preprocess.min_test_groups ({params.min_test_groups}): its intervals "
            "will be wide. Add videos of other groups, or raise preprocess.test_share."
        )
    if division.left_out:
        left_out = count(len(division.left_out), "video is", "videos are")
        warnings.append(
            f"{left_out} left out: their near-duplicates "
            "stand in another split and count more there. ingest.min_likeness decides what is one."
        )
    for label, splits in division.absent.items():
        gaps = " and ".join(splits)
        warnings.append(f"By its official splits, the class {label!r} is not in {gaps}.")
    return warnings


def _sources(videos: pd.DataFrame) -> pd.Series:
    """The group with which each video is kept together; by default itself."""
    return videos["kept_with"].fillna(videos["hash"])


def training_facts(
    videos: pd.DataFrame, training: pd.DataFrame, store: FrameStore
) -> dict[str, Any]:
    """What a training is told of its videos: all labels, and the weights of classes and the
    normalisation that follow from what is learned from."""
    clips = store.index.loc[training["hash"]]
    pixels = len(clips) * math.prod(store.spec.stored_shape[:-1])
    return {
        "labels": sorted(videos["label"].unique()),
        "class_weights": class_weights(training["label"]),
        "normalisation": pixel_statistics(clips["channel_sums"], clips["channel_squares"], pixels),
    }


def _meta(videos: pd.DataFrame, training: pd.DataFrame, store: FrameStore) -> dict[str, Any]:
    facts = training_facts(videos, training, store)
    return {
        **facts,
        "clip": store.spec.to_dict(),
        "data_hash": data_hash(videos, facts["labels"], [store.spec.to_dict(), store.id]),
        "groups_known": bool(videos["group"].notna().all()),
    }


def _write_splits(videos: pd.DataFrame, labels: list[str]) -> None:
    target = {label: i for i, label in enumerate(labels)}
    table = videos.assign(target=videos["label"].map(target))
    for split in SPLITS:
        rows = table.loc[table["split"] == split, ["hash", "path", "label", "target", "kept_with"]]
        rows = rows.rename(columns={"kept_with": "group"})
        write_table(PREPARED / f"{split}.csv", rows)


def _metrics(videos: pd.DataFrame) -> dict[str, Any]:
    parts = {split: videos[videos["split"] == split] for split in SPLITS}
    labels = sorted(videos["label"].unique())
    return {
        "videos": {split: len(part) for split, part in parts.items()},
        "share": {split: round(len(part) / len(videos), 4) for split, part in parts.items()},
        "groups": {split: int(_sources(part).nunique()) for split, part in parts.items()},
        "classes": {
            label: {split: int((part["label"] == label).sum()) for split, part in parts.items()}
            for label in labels
        },
    }


if __name__ == "__main__":
    run("preprocess", main)
