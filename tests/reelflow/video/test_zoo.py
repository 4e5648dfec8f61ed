"""Odd, messy and broken files of many codecs and containers, as the world makes them.

Each verdict in zoo.csv was found by looking at the file with other programs; each frame is compared
with what ffmpeg, called plainly, decodes at the same time.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction import skip_packets
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.inspection import inspect
from reelflow.video.process_limits import Bounds
from tests.truth import assert_decoder_agrees, same_frames

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)

TABLE = pd.read_csv(Path(__file__).with_name("zoo.csv"), keep_default_na=False, dtype=str)
VERDICTS = TABLE.set_index("file").to_dict("index")
REFUSED = {name: row["verdict"] for name, row in VERDICTS.items() if row["verdict"] != "usable"}
GOOD = [name for name in VERDICTS if name not in REFUSED]


def test_every_file_of_the_zoo_has_a_verdict(shared: Path) -> None:
    assert {p.name for p in (shared / "zoo").iterdir()} == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_inspect_says_what_each_file_is(shared: Path, name: str) -> None:
    told = inspect(str(shared / "zoo" / name), BOUNDS).to_dict()
    assert told["usable"] == (name in GOOD)
    assert (told["code"] or "usable") == VERDICTS[name]["verdict"]
    assert (told["container"] or "").split(",")[0] == VERDICTS[name]["container"]
    for column in ("codec", "width", "height", "frames", "rotation"):
        assert str("" if told[column] is None else told[column]) == VERDICTS[name][column]
    assert (told["reason"] is None) == (told["remedy"] is None) == told["usable"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_usable_video_is_refused(shared: Path, name: str) -> None:
    with pytest.raises(VideoError) as error:
        check_video(shared / "zoo" / name, BOUNDS)
    assert error.value.code == REFUSED[name]


@pytest.mark.parametrize("name", GOOD)
def test_frames_are_those_that_ffmpeg_decodes_at_their_times(
    shared: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As of a long video: packets that are not needed are not decoded.
    monkeypatch.setattr(skip_packets, "_WORTHWHILE", 0)
    path = shared / "zoo" / name
    info = check_video(path, BOUNDS)
    clip = read_clip(path, ClipSpec(7, info.height, info.width), BOUNDS, info=info)
    same_frames(path, info, clip)
    assert_decoder_agrees(path, info, clip)
