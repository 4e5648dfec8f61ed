"""The process that stays gives the frames that ffmpeg gives, or none, and no harm is done."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction import pyav_decoder as decoding
from reelflow.extraction import read_clips
from reelflow.extraction.ffmpeg_decoder import decode
from reelflow.extraction.pyav_decoder import Decoder, decoder, takes
from reelflow.extraction.region import WHOLE
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.process_limits import Bounds
from tests.clips import read_clips as read_all
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
FRAMES = 60
CLOSED = ("-flags", "+cgop", "-sc_threshold", "1000000000")
# How each is encoded, and whether the process takes it on: not if not every packet is a frame with
# a time of its own.
ENCODED: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "plain.mp4": ("mpeg4", ("-g", "12"), True),
    "b-frames.mp4": ("mpeg4", ("-g", "12", "-bf", "2"), True),
    "b-frames.mkv": ("mpeg4", ("-g", "15", "-bf", "1"), True),
    "open.mpg": ("mpeg2video", ("-g", "12", "-bf", "2"), True),
    "closed.ts": ("mpeg2video", ("-g", "12", "-bf", "2", *CLOSED), True),
    "first.mkv": ("mpeg1video", ("-g", "12", "-bf", "2"), True),
    "microsoft.asf": ("msmpeg4", ("-g", "12"), True),
    "windows.asf": ("wmv2", ("-g", "12"), True),
    "flash.flv": ("flv", ("-g", "12"), True),
    "jpeg.mov": ("mjpeg", (), True),
    "vp8.webm": ("libvpx", ("-g", "12"), True),
    "vp9.webm": ("libvpx-vp9", ("-g", "12"), True),
    "h264.mp4": ("libx264", ("-g", "12", "-bf", "3"), True),
    "refresh.mp4": ("libx264", ("-g", "12", "-x264-params", "intra-refresh=1"), True),
    "open.mp4": ("libx264", ("-g", "12", "-bf", "3", "-x264-params", "open-gop=1"), True),
    "hevc.mp4": ("libx265", ("-g", "12", "-x265-params", "log-level=error"), True),
    "no-times.avi": ("libx264", ("-g", "12", "-bf", "3"), False),
    "turned.mp4": ("mpeg4", ("-g", "12"), False),
    "edited.mp4": ("mpeg4", ("-g", "12"), False),
    "moving.gif": ("gif", (), True),
    "lossless.avi": ("ffv1", (), False),
}
SPECS = (
    ClipSpec(1, 32, 48),
    ClipSpec(1, 40, 40, fit="pad"),
    ClipSpec(1, 20, 50, fit="stretch", scaler="lanczos"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name, (codec, options, _) in ENCODED.items():
        how: dict[str, Any] = {"seconds": FRAMES / 25, "rate": 25, "size": "96x64"}
        make_video(folder / name, codec=codec, options=options, **how)
    plain = ("-i", str(folder / "plain.mp4"), "-c", "copy")
    ffmpeg("-display_rotation", "90", *plain, str(folder / "turned.mp4"))
    # An edit list hides packets that are decoded but not shown.
    ffmpeg("-ss", "0.3", *plain, str(folder / "edited.mp4"))
    return folder


@pytest.fixture
def fresh() -> Iterator[Decoder]:
    own = Decoder()
    yield own
    own.close()


def wanted_of(
    path: Path, indices: list[int], spec: ClipSpec = SPECS[0], info: VideoInfo | None = None
) -> Wanted:
    info = info or check_video(path, BOUNDS)
    times = np.asarray(info.pts, np.int64)
    return Wanted(path, info, spec, WHOLE, times, np.asarray(indices, np.int64))


def process_of(own: Decoder) -> psutil.Process:
    assert own._process is not None
    return psutil.Process(own._process.pid)


@pytest.mark.parametrize("name", ENCODED)
def test_frames_are_those_of_ffmpeg(made: Path, name: str) -> None:
    info = check_video(made / name, BOUNDS)
    expected = ENCODED[name][2]
    random = np.random.default_rng(sum(name.encode()))
    for spec in SPECS:
        for count in (1, 3, 16, info.frames):
            some = np.sort(random.choice(info.frames, count, replace=False)).tolist()
            wanted = wanted_of(made / name, some, spec, info)
            frames = decoder().decode(wanted, BOUNDS) if takes(wanted) else None
            assert (frames is not None) == expected
            if frames is not None:
                np.testing.assert_array_equal(frames, decode(wanted, BOUNDS))


def test_every_frame_alone_is_that_of_ffmpeg(made: Path) -> None:
    for name in ("b-frames.mp4", "open.mpg", "open.mp4"):
        info = check_video(made / name, BOUNDS)
        every = decode(wanted_of(made / name, list(range(info.frames)), info=info), BOUNDS)
        for at in range(info.frames):
            frames = decoder().decode(wanted_of(made / name, [at], info=info), BOUNDS)
            assert frames is not None
            np.testing.assert_array_equal(frames[0], every[at])


def test_libav_is_never_in_our_own_process() -> None:
    code = "import reelflow.extraction.read_clips, sys; sys.exit('av' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_packets_without_a_wanted_frame_are_not_decoded(made: Path) -> None:
    import av

    from reelflow.extraction.pyav_process import mpeg4_starts, needed

    found = {}
    for name in ("plain.mp4", "b-frames.mp4"):
        with av.open(str(made / name)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
            header = container.streams.video[0].codec_context.extradata or b""
        found[name] = mpeg4_starts(packets, header)
        times = sorted(packet.pts for packet in packets if packet.pts is not None)
        some = {times[13], times[50]}
        order = [packet.pts or 0 for packet in packets]
        kept = list(needed(order, some, found[name]))
        assert {order[at] for at, asked in kept if asked} == some
        assert (len(kept) < 12) == (name == "plain.mp4")
    # Where a picture may refer to one that is shown later, nothing is certain.
    assert found == {"plain.mp4": [0, 12, 24, 36, 48], "b-frames.mp4": [0]}


def test_one_process_serves_many_videos_and_ends_when_it_is_closed(
    made: Path, fresh: Decoder
) -> None:
    wanted = wanted_of(made / "plain.mp4", [3, 7])
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    fresh.decode(wanted, BOUNDS)
    process = process_of(fresh)
    for _ in range(5):
        fresh.decode(wanted, BOUNDS)
    assert process_of(fresh) == process
    fresh.close()
    assert not process.is_running()
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_an_answer_that_nobody_waited_for_is_given_to_nobody_else(
    made: Path, fresh: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        send(*_)
        raise KeyboardInterrupt

    send = socket.send_fds
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(socket, "send_fds", interrupted)
        fresh.decode(wanted_of(made / "plain.mp4", [3]), BOUNDS)
    last = wanted_of(made / "plain.mp4", [50])
    frames = fresh.decode(last, BOUNDS)
    assert frames is not None
    np.testing.assert_array_equal(frames, decode(last, BOUNDS))


def test_each_thread_has_its_own() -> None:
    found: list[Decoder] = []
    threads = [threading.Thread(target=lambda: found.append(decoder())) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len({id(each) for each in (*found, decoder())}) == 3
    assert decoder() is decoder()


def test_a_crash_costs_one_answer_and_many_in_a_row_end_it(made: Path, fresh: Decoder) -> None:
    wanted = wanted_of(made / "plain.mp4", [3, 7])
    for _ in range(decoding._MOST_LOST):
        assert fresh.decode(wanted, BOUNDS) is not None
        process = process_of(fresh)
        process.kill()
        process.wait()
        assert fresh.decode(wanted, BOUNDS) is None
    for _ in range(decoding._MOST_LOST):
        assert fresh.decode(wanted, Bounds(60, memory_mb=16)) is None
    assert fresh.decode(wanted, BOUNDS) is None
    assert fresh._process is None


def test_a_decoder_that_is_gone_leaves_no_process(made: Path) -> None:
    own = Decoder()
    assert own.decode(wanted_of(made / "plain.mp4", [3]), BOUNDS) is not None
    process = process_of(own)
    del own
    assert not process.is_running()


def test_a_decoder_that_hangs_is_ended(made: Path, fresh: Decoder) -> None:
    wanted = wanted_of(made / "plain.mp4", [3, 7])
    assert fresh.decode(wanted, BOUNDS) is not None
    process = process_of(fresh)
    process.send_signal(signal.SIGSTOP)
    assert fresh.decode(wanted, Bounds(timeout_s=0.2, memory_mb=1024)) is None
    assert not process.is_running()
    assert fresh.decode(wanted, BOUNDS) is not None


def test_it_may_write_nothing_and_has_the_memory_that_is_allowed(
    made: Path, fresh: Decoder
) -> None:
    wanted = wanted_of(made / "plain.mp4", [3, 7])
    assert fresh.decode(wanted, BOUNDS) is not None
    limits = process_of(fresh)
    assert limits.rlimit(psutil.RLIMIT_AS)[1] == 1024 << 20
    assert limits.rlimit(psutil.RLIMIT_FSIZE)[1] == 0
    assert limits.rlimit(psutil.RLIMIT_CPU)[0] <= 2 * BOUNDS.timeout_s
    assert fresh.decode(wanted, Bounds(timeout_s=60, memory_mb=800)) is not None
    assert process_of(fresh).rlimit(psutil.RLIMIT_AS)[1] == 800 << 20


def test_with_too_little_memory_ffmpeg_is_asked(made: Path, fresh: Decoder) -> None:
    assert fresh.decode(wanted_of(made / "plain.mp4", [3]), Bounds(60, memory_mb=16)) is None


def test_a_file_that_changed_is_left_to_ffmpeg(
    tmp_path: Path, make_video: MakeVideo, fresh: Decoder
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=2)
    wanted = wanted_of(path, [3, 15])
    make_video(path, seconds=1)
    assert fresh.decode(wanted, BOUNDS) is None
    assert process_of(fresh).is_running()
    path.write_bytes(os.urandom(1000))
    assert fresh.decode(wanted, BOUNDS) is None
    path.unlink()
    with pytest.raises(VideoError) as error:
        fresh.decode(wanted, BOUNDS)
    assert error.value.code == "missing"


def test_several_short_videos_are_decoded_by_it_and_one_is_not(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = [(made / name, check_video(made / name, BOUNDS)) for name in ENCODED]
    asked: list[str] = []

    def counted(wanted: Wanted, bounds: Bounds) -> Any:
        asked.append(wanted.path.name)
        return decode(wanted, bounds)

    monkeypatch.setattr(read_clips, "decode", counted)
    read_all(videos, ClipSpec(4, 32, 48), BOUNDS)
    assert sorted(asked) == sorted(name for name in ENCODED if not ENCODED[name][2])
    read_all(videos[:1], ClipSpec(4, 32, 48), BOUNDS)
    assert asked[-1] == "plain.mp4"
