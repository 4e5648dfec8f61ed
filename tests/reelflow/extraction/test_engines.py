"""What engines are handed: the videos of a manifest, in the order that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.extraction import engines
from reelflow.extraction.engines import videos_of
from tests.dataset import grid, manifest_of


@pytest.mark.parametrize("videos", [5, 16384])
def test_each_video_comes_with_what_the_manifest_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, videos: int
) -> None:
    monkeypatch.setattr(engines, "_VIDEOS", videos)
    table = manifest_of(grid(groups=8, videos=2)).head(32)
    table["intact"] = table["frames"]
    table.to_parquet(tmp_path / "manifest.parquet")
    rows = table.set_index("hash")
    hashes = sorted(rows.index)[3:25][::-1]
    found = list(videos_of(tmp_path / "manifest.parquet", hashes))
    assert [info.hash for _, info in found] == hashes
    for path, info in found:
        row = rows.loc[info.hash]
        assert (path, info.codec, info.frames) == (row["path"], row["codec"], row["frames"])
        np.testing.assert_array_equal(info.pts, row["pts"])
