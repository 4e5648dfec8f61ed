"""The bounds of a decoder are in force, whatever it tries; what breaks them costs only its file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.dataset.catalogue import Catalogue, catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.extraction.pyav_decoder import decoder
from reelflow.extraction.region import WHOLE
from reelflow.extraction.wanted_frames import Wanted
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.store.clip_spec import ClipSpec
from reelflow.video import allowed_formats, check_by_decoding, ffmpeg
from reelflow.video.allowed_formats import DECODERS, DEMUXERS
from reelflow.video.check_by_decoding import check_video
from reelflow.video.ffmpeg import again_if_killed, run
from reelflow.video.intact_frames import find_intact
from reelflow.video.process_limits import Bounds
from reelflow.video.process_output import STDERR_LIMIT
from tests.conftest import MakeVideo
from tests.conftest import ffmpeg as plain_ffmpeg

HERE = Path("x.mp4")
BOUNDS = Bounds()


def shell(
    script: str, bounds: Bounds = BOUNDS, limit: int = 1 << 20, frames: int = 0
) -> ffmpeg.Finished:
    return run(["/bin/sh", "-c", script], HERE, bounds, stdout_limit=limit, frames=frames)


def code_of(script: str, bounds: Bounds = BOUNDS, limit: int = 1 << 20) -> str:
    with pytest.raises(VideoError) as error:
        shell(script, bounds, limit)
    assert error.value.path == str(HERE)
    return error.value.code


def test_the_kernel_is_told_of_every_limit() -> None:
    limits = "ulimit -v; ulimit -t; ulimit -c; ulimit -f; ulimit -n; ulimit -Hv"
    told = shell(limits, Bounds(timeout_s=7, memory_mb=300)).stdout.split()
    assert told == [b"307200", b"8", b"0", b"0", b"256", b"307200"]


def test_memory_is_bounded() -> None:
    hog = f"{sys.executable} -c 'bytearray(1 << 30)' 2>/dev/null; echo $?"
    assert shell(hog, Bounds(memory_mb=300)).stdout == b"1\n"


def test_time_is_bounded_whether_it_works_or_sleeps() -> None:
    assert code_of("while :; do :; done", Bounds(timeout_s=1)) == "timeout"
    assert code_of("exec sleep 60", Bounds(timeout_s=0.1)) == "timeout"
    assert code_of("exec >&-; while :; do :; done", Bounds(timeout_s=1)) == "timeout"


def test_whoever_prints_or_works_does_not_stand_still() -> None:
    printing = "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.2; done"
    assert len(shell(printing, Bounds(timeout_s=0.9)).stdout) == 18
    working = f"exec {sys.executable} -Sc 'while __import__(\"time\").process_time() < 1.5: pass'"
    assert shell(working, Bounds(timeout_s=0.9), frames=100).returncode == 0


def test_a_process_that_says_nothing_more_may_not_stay() -> None:
    assert code_of("exec sleep 60 >&- 2>&-", Bounds(timeout_s=0.2)) == "timeout"


def test_time_is_earned_by_the_frames_that_come_out() -> None:
    program = (
        "import time\n"
        "for frame in range(1, 6):\n"
        "    while time.process_time() < 0.5 * frame: pass\n"
        "    print(frame, flush=True)\n"
    )
    slow = ["/bin/sh", "-c", f"exec {sys.executable} -Sc '{program}'"]
    # Half a second a frame is more than a frame may take; known before, it may.
    with pytest.raises(VideoError, match="of CPU") as error:
        run(slow, HERE, Bounds(timeout_s=1), stdout_limit=1000)
    assert error.value.code == "timeout"
    finished = run(slow, HERE, Bounds(timeout_s=1), stdout_limit=1000, frames=100)
    assert finished.stdout.split()[-1] == b"5"


def test_output_ends_the_process_that_has_too_much() -> None:
    # Without an end it would go on until its time is over, and that is ten minutes.
    # Ended and waited for by two threads, in either order: ten times, since it is a race.
    for _ in range(10):
        assert code_of("exec yes", Bounds(timeout_s=600), limit=1000) == "output"


def test_what_it_says_is_bounded_and_blocks_nothing() -> None:
    loud = "i=0; while [ $i -lt 9 ]; do head -c 100000 /dev/zero | tr '\\0' x >&2; i=$((i+1)); done"
    finished = shell(loud)
    assert finished.returncode == 0
    assert len(finished.stderr) == STDERR_LIMIT


def test_no_file_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert code_of(f"exec head -c 100 /dev/zero >{target}") == "crash"
    assert target.read_bytes() == b""


def test_it_knows_nothing_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("FFREPORT", "file=report.log")
    names = {line.split(b"=")[0] for line in shell("env").stdout.splitlines()}
    assert names <= {b"PATH", b"LC_ALL", b"MALLOC_ARENA_MAX", b"PWD", b"_", b"OLDPWD", b"SHLVL"}


def test_a_crash_has_a_name() -> None:
    assert code_of("kill -SEGV $$") == "crash"


def test_what_was_killed_from_outside_is_tried_once_more(tmp_path: Path) -> None:
    once = f"[ -e {tmp_path}/tried ] && echo done && exit; mkdir {tmp_path}/tried; kill -KILL $$"
    assert again_if_killed(shell)(once).stdout == b"done\n"
    with pytest.raises(VideoError) as error:
        again_if_killed(shell)("kill -KILL $$")
    assert error.value.code == "killed"


def test_a_video_has_only_so_many_frames(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mkv", seconds=20, rate=100, size="16x16", codec="mpeg4")
    monkeypatch.setattr(check_by_decoding, "MOST_PRINTED", 1000)
    with pytest.raises(VideoError) as error:
        check_video(path, Bounds())
    assert error.value.code == "output"


@pytest.mark.parametrize(
    ("way", "code"),
    [("SEGV", "crash"), ("ABRT", "crash"), ("KILL", "killed"), ("sleep", "timeout")],
)
def test_a_decoder_that_dies_or_hangs_costs_only_its_file(
    way: str, code: str, tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw"
    for seed in range(3):
        make_video(raw / "run" / f"{seed}.mp4", seed=seed)
    (raw / "run" / "bad.mp4").write_bytes(b"DIE" + bytes(100))
    dying = str(_dying_ffmpeg(tmp_path / "ffmpeg", way))
    monkeypatch.setattr(ffmpeg, "ffmpeg_exe", lambda: dying)
    found = _look(raw, Bounds(timeout_s=5))
    assert dict(found.quarantine[["path", "code"]].to_numpy().tolist()) == {"run/bad.mp4": code}
    assert len(found.manifest) == 3


def _dying_ffmpeg(path: Path, way: str) -> Path:
    """ffmpeg, but for a file that begins with DIE, which it dies of."""
    end = "exec sleep 60" if way == "sleep" else f"kill -{way} $$"
    path.write_text(
        "#!/bin/sh\n"
        'for each; do [ "$last" = -fd ] && fd=$each; last=$each; done\n'
        f'[ "$(head -c 3 /dev/fd/$fd)" = DIE ] && {end}\n'
        f'exec {ffmpeg.ffmpeg_exe()} "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def _look(raw: Path, bounds: Bounds) -> Catalogue:
    with CheckCache(raw.parent / "checks.sqlite") as cache:
        return catalogue(raw, list_videos(raw), bounds, 2, cache)


def test_pyav_decodes_no_larger_pictures_than_ffmpeg(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4")
    assert find_intact(path, 0, BOUNDS).whole
    info = check_video(path, BOUNDS)
    wanted = Wanted(
        path, info, ClipSpec(1, 16, 16), WHOLE, np.asarray(info.pts, np.int64), np.array([0])
    )
    assert decoder().decode(wanted, BOUNDS) is not None
    monkeypatch.setattr(allowed_formats, "MOST_PIXELS", 64 * 48 - 1)
    assert find_intact(path, 0, BOUNDS).pts == ()
    assert decoder().decode(wanted, BOUNDS) is None


def test_every_demuxer_and_decoder_that_is_allowed_exists() -> None:
    demuxers = {
        name
        for line in plain_ffmpeg("-demuxers").decode().splitlines()
        if line.startswith(" D")
        for name in line.split()[1].split(",")
    }
    decoders = {
        line.split()[1]
        for line in plain_ffmpeg("-decoders").decode().splitlines()
        if line.startswith(" V") and len(line.split()) > 1
    }
    assert set(DEMUXERS) <= demuxers
    assert set(DECODERS) <= decoders
