"""Frames and times are ffmpeg's own: of many codecs in many containers, whatever is said of key
frames, alone, in company and in the store."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.extraction.engines import _INFO_FIELDS
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.process_limits import Bounds
from tasks import extract, ingest
from tests.clips import read_clips
from tests.matrix import matrix
from tests.truth import truth_of, wrong

BOUNDS = Bounds(timeout_s=120)
HEIGHT, WIDTH = 48, 64
SPEC = ClipSpec(6, HEIGHT, WIDTH, fit="stretch")
KEYS = ClipSpec(4, HEIGHT, WIDTH, fit="stretch", sampler="keyframes")
# Codecs of which ffmpeg does not say which frames are key frames.
SILENT = ("qtrle", "msvideo1", "svq1")
PARAMS = {
    "frames: 16 ": "frames: 6 ",
    "height: 64 ": f"height: {HEIGHT} ",
    "fit: crop ": "fit: stretch ",
    "width: 64 ": f"width: {WIDTH} ",
    "min_likeness: 0.83": "min_likeness: 1.0 ",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matrix") / "raw"
    assert len(list(matrix(folder))) > 200
    return folder


def test_frames_and_times_are_those_of_ffmpeg(made: Path, project: Path) -> None:
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    for old, new in PARAMS.items():
        assert old in text
        text = text.replace(old, new)
    params.write_text(text, encoding="utf-8")
    (project / "data").mkdir()
    (project / "data" / "raw").symlink_to(made)
    ingest.main()
    extract.main()
    aside = pd.read_csv("data/quarantine.csv").query("code != 'duplicate'")
    assert aside.empty, aside.to_string()
    manifest = pd.read_parquet("data/manifest.parquet")
    assert len(manifest) >= 150
    videos = [
        (made / row["path"], VideoInfo(**{name: row[name] for name in _INFO_FIELDS}))
        for row in manifest.to_dict("records")
    ]
    truth = truth_of([path for path, _ in videos], project, HEIGHT, WIDTH)
    faults: list[str] = []
    for path, info in videos:
        np.testing.assert_allclose(
            np.array(info.pts) * float(Fraction(info.time_base)), truth[path][0], atol=1e-6
        )
        faults += wrong(truth, path, read_clip(path, SPEC, BOUNDS, info=info))
    for (path, _), clip in zip(videos, read_clips(videos, SPEC, BOUNDS), strict=True):
        faults += wrong(truth, path, clip)
    keyed = [video for video in videos if video[0].name.split("-")[0] not in SILENT]
    for (path, _), clip in zip(keyed, read_clips(keyed, KEYS, BOUNDS), strict=True):
        faults += wrong(truth, path, clip)
    store = FrameStore(Path("data/frames"))
    for path, info in videos:
        times = np.array(store.index.loc[info.hash, "timestamps"])
        faults += wrong(truth, path, Clip(store.frames(info.hash), times))
    assert not faults, "\n".join(faults)
