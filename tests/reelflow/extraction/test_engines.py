"""What engines are handed: which videos go together, in which order, and what a crash costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.extraction import engines
from reelflow.extraction.engines import TOGETHER, Answers, Bundle, Engine, decoded
from reelflow.store.clip_spec import ClipSpec
from tests.dataset import grid, manifest_of

SPEC = ClipSpec(2, 16, 16)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Thirty short videos and two long ones."""
    table = manifest_of(grid(groups=8, videos=2)).head(32)
    table["intact"] = table["frames"]
    table.loc[[3, 17], "frames"] = 1_000_000
    table.to_parquet(tmp_path / "manifest.parquet")
    return tmp_path / "manifest.parquet"


class Recorder:
    """An engine that decodes nothing."""

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []
        self.engine = Engine(self.run, 2)

    def run(self, bundles: Iterable[Bundle]) -> Iterator[tuple[Bundle, Answers]]:
        for bundle in bundles:
            self.bundles.append(bundle)
            yield bundle, [None] * len(bundle)


def test_short_videos_go_together_and_long_ones_alone(manifest: Path) -> None:
    hashes = sorted(pd.read_parquet(manifest)["hash"])
    recorder = Recorder()
    answers = list(decoded(manifest, hashes, SPEC, recorder.engine))
    assert sorted(info.hash for (_, info), _ in answers) == hashes
    assert sorted(map(len, recorder.bundles)) == [
        1,
        1,
        30 % TOGETHER,
        *[TOGETHER] * (30 // TOGETHER),
    ]
    for bundle in recorder.bundles:
        assert len(bundle) == 1 or all(info.frames == 25 for _, info in bundle)
        # Shard by shard, that is by hash.
        assert [info.hash for _, info in bundle] == sorted(info.hash for _, info in bundle)


def test_few_videos_are_shared_out_evenly(manifest: Path) -> None:
    recorder = Recorder()
    hashes = sorted(pd.read_parquet(manifest).query("frames == 25")["hash"])[:6]
    assert len(list(decoded(manifest, hashes, SPEC, recorder.engine))) == 6
    assert list(map(len, recorder.bundles)) == [3, 3]


@pytest.mark.parametrize("videos", [5, 16384])
def test_each_video_comes_with_what_the_manifest_tells_of_it(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, videos: int
) -> None:
    monkeypatch.setattr(engines, "_VIDEOS", videos)
    rows = pd.read_parquet(manifest).set_index("hash")
    hashes = sorted(rows.index)[3:25]
    found = list(decoded(manifest, hashes, SPEC, Recorder().engine))
    assert len(found) == len(hashes)
    for (path, info), wrong in found:
        row = rows.loc[info.hash]
        assert wrong is None
        assert (path, info.codec, info.frames) == (row["path"], row["codec"], row["frames"])
        np.testing.assert_array_equal(info.pts, row["pts"])
