"""Videos that change on their way, or begin in the middle: right frames, or set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from reelflow.extraction.ffmpeg_decoder import decode, decoder_times
from reelflow.extraction.read_clips import read_clip
from reelflow.extraction.region import WHOLE
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.video.check_by_decoding import DamagedVideoError, check_video
from reelflow.video.process_limits import Bounds
from tests.clips import read_clips
from tests.conftest import MakeVideo, ffmpeg
from tests.matrix import put
from tests.truth import truth_of, wrong

BOUNDS = Bounds(timeout_s=120)
SPEC = ClipSpec(8, 48, 64, fit="stretch")
# name: codec, and what the second half differs by
CHANGING: dict[str, tuple[str, dict[str, Any]]] = {
    "larger.webm": ("libvpx", {"size": "96x72"}),
    "smaller.ts": ("libx264", {"size": "32x24"}),
    "colours.mkv": ("mjpeg", {"options": ("-pix_fmt", "yuvj422p")}),
}


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize("sampler", ["uniform", "keyframes"])
def test_frames_are_right_where_the_picture_changes_midway(
    tmp_path: Path, make_video: MakeVideo, name: str, sampler: str
) -> None:
    codec, other = CHANGING[name]
    kept = Path(name).suffix
    halves = [
        make_video(tmp_path / f"one{kept}", codec=codec, rate=20),
        make_video(tmp_path / f"two{kept}", codec=codec, rate=20, seed=3, **other),
    ]
    paths = [put(halves, tmp_path / name), halves[0]]
    videos = [(path, check_video(path, BOUNDS)) for path in paths]
    assert videos[0][1].frames == 40
    spec = ClipSpec(8, 48, 64, fit="stretch", sampler=sampler)
    truth = truth_of(paths, tmp_path, 48, 64)
    for (path, info), clip in zip(videos, read_clips(videos, spec, BOUNDS), strict=True):
        assert not list(wrong(truth, path, clip))
        assert not list(wrong(truth, path, read_clip(path, spec, BOUNDS, info=info)))


def test_frames_are_right_where_a_time_jumps_back(tmp_path: Path, make_video: MakeVideo) -> None:
    source = make_video(tmp_path / "one.mkv", codec="mjpeg", rate=20, seconds=2)
    path = tmp_path / "back.mkv"
    with av.open(str(source)) as one, av.open(str(path), "w") as other:
        out: Any = other.add_stream_from_template(one.streams.video[0], opaque=True)
        for at, packet in enumerate(packet for packet in one.demux(video=0) if packet.size):
            packet.stream = out
            # As of the tenth: Matroska keeps the time of showing alone.
            packet.pts, packet.dts = 1000 + 50 * (10 if at == 30 else at), at
            other.mux(packet)
    info = check_video(path, BOUNDS)
    assert info.frames == 40
    times, frames = truth_of([path], tmp_path, 48, 64)[path]
    assert times[30] == times[10]
    told = decoder_times(path, info, BOUNDS)
    for some in ([*range(40)], [10, 30], [30], [29, 31], [0, 10]):
        wanted = Wanted(path, info, SPEC, WHOLE, told, np.array(some))
        np.testing.assert_array_equal(decode(wanted, BOUNDS), frames[some])
    clip = read_clip(path, SPEC, BOUNDS, info=info)
    # A frame is on screen after the one before it, whatever its time says.
    assert (np.diff(clip.timestamps) > 0).all()
    for found in read_clips([(path, info), (path, info)], SPEC, BOUNDS):
        assert isinstance(found, Clip)
        np.testing.assert_array_equal(found.frames, clip.frames)


def test_theora_that_begins_in_the_middle_is_set_aside_and_can_be_kept_from_a_key_frame(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    whole = make_video(
        tmp_path / "whole.ogg", codec="libtheora", rate=20, seconds=2, options=("-g", "8")
    )
    path = put([whole], tmp_path / "middle.ogg", skip=3)
    with pytest.raises(DamagedVideoError, match="first frame not a keyframe") as error:
        check_video(path, BOUNDS)
    assert error.value.info.intact == 0
    assert "ffmpeg -i IN -map 0:V:0 -c copy OUT.mkv" in error.value.remedy
    kept = tmp_path / "kept.mkv"
    ffmpeg("-i", str(path), "-map", "0:V:0", "-c", "copy", str(kept))
    assert 0 < check_video(kept, BOUNDS).frames < error.value.info.frames
