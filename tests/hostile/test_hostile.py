"""A video is untrusted input: nothing but itself is read, nothing outgrows its bounds, and what
cannot be used is set aside with its reason. docs/threat-model.md says against what, and how."""

from __future__ import annotations

import resource
import subprocess

import numpy as np
import psutil
import pytest

from reelflow.base.errors import VideoError
from reelflow.dataset.catalogue import catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.extraction.pyav_decoder import decoder, takes
from reelflow.extraction.region import WHOLE
from reelflow.extraction.wanted_frames import Wanted
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.ffmpeg import ffmpeg_exe
from reelflow.video.intact_frames import find_intact
from reelflow.video.process_limits import Bounds
from tests.hostile.bombs import BOMBS
from tests.hostile.conftest import Scene
from tests.hostile.malformed import MALFORMED
from tests.hostile.references import REFERENCES
from tests.hostile.workshop import Case, Workshop

BOUNDS = Bounds(timeout_s=10, memory_mb=512, file_gb=1)
# One decodes a file; another may be asked what it is.
MOST_PROCESSES = 2
CASES: dict[str, Case] = {**REFERENCES, **BOMBS, **MALFORMED}


def test_there_are_enough_cases() -> None:
    assert len(CASES) == len(REFERENCES) + len(BOMBS) + len(MALFORMED) >= 60


@pytest.mark.parametrize("name", CASES)
def test_it_is_set_aside_and_nothing_else_happens(
    name: str, scene: Scene, workshop: Workshop
) -> None:
    code, make = CASES[name]
    (scene.folder / name).write_bytes(make(workshop))
    before = set(scene.folder.parent.parent.rglob("*"))
    processes, seconds = psutil.Process().children(), _seconds_of_children()
    scene.forget()
    with pytest.raises(VideoError) as refusal:
        check_video(scene.folder / name, BOUNDS)
    scene.assert_only_touched(name)
    assert refusal.value.code == code
    assert refusal.value.reason.isprintable()
    assert refusal.value.remedy
    assert set(scene.folder.parent.parent.rglob("*")) == before
    assert psutil.Process().children() == processes
    # The limit of memory is the kernel's (test_bounds); so is that of CPU, which can be seen here.
    assert _seconds_of_children() - seconds <= MOST_PROCESSES * (BOUNDS.timeout_s + 2)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_second_reader_opens_nothing_else_either(
    name: str, scene: Scene, workshop: Workshop
) -> None:
    (scene.folder / name).write_bytes(REFERENCES[name][1](workshop))
    scene.forget()
    assert find_intact(scene.folder / name, 0, BOUNDS).pts == ()
    scene.assert_only_touched(name)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_process_that_stays_opens_nothing_else_either(
    name: str, scene: Scene, workshop: Workshop
) -> None:
    """As if the file had been another when it was checked."""
    good = check_video(scene.folder / "bait.ts", BOUNDS)
    (scene.folder / name).write_bytes(REFERENCES[name][1](workshop))
    spec, times = ClipSpec(1, 16, 16), np.asarray(good.pts, np.int64)
    wanted = Wanted(scene.folder / name, good, spec, WHOLE, times, np.array([0]))
    assert takes(wanted)
    scene.forget()
    assert decoder().decode(wanted, Bounds(timeout_s=10, memory_mb=1024)) is None
    scene.assert_only_touched(name)


def test_together_they_are_listed_and_the_good_one_is_used(
    scene: Scene, workshop: Workshop
) -> None:
    for name, (_, make) in CASES.items():
        (scene.folder / name).write_bytes(make(workshop))
    scene.forget()
    with CheckCache(scene.inside.parent / "checks.sqlite") as cache:
        found = catalogue(scene.inside, list_videos(scene.inside), BOUNDS, 2, cache)
    scene.assert_only_touched("bait.ts", *CASES)
    codes = dict(found.quarantine[["path", "code"]].to_numpy().tolist())
    assert codes == {f"any/{name}": code for name, (code, _) in CASES.items()}
    assert found.manifest["path"].tolist() == ["any/bait.ts"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("concat_path.mp4", ["-safe", "0"]),
        ("hls_path.m3u8", []),
        ("track_alias.mov", ["-enable_drefs", "1", "-use_absolute_path", "1"]),
    ],
)
def test_the_canary_sings_where_nothing_is_guarded(
    name: str, options: list[str], scene: Scene, workshop: Workshop
) -> None:
    (scene.folder / name).write_bytes(CASES[name][1](workshop))
    scene.forget()
    _plain_ffmpeg(*options, "-i", str(scene.folder / name))
    assert scene.outside.touched() >= {scene.bait.canary.name}


@pytest.mark.parametrize("name", ["concat_http.mp4", "hls_http.m3u8"])
def test_the_listener_hears_where_nothing_is_guarded(
    name: str, scene: Scene, workshop: Workshop
) -> None:
    (scene.folder / name).write_bytes(CASES[name][1](workshop))
    scene.forget()
    options = ("-safe", "0") if name.startswith("concat") else ()
    everything = ("-protocol_whitelist", "file,http,tcp")
    _plain_ffmpeg(*everything, *options, "-i", str(scene.folder / name))
    assert any(heard.startswith(b"GET /stolen.ts") for heard in scene.listener.heard)


def _plain_ffmpeg(*arguments: str) -> None:
    command = [ffmpeg_exe(), "-nostdin", "-v", "error", *arguments, "-f", "null", "-"]
    subprocess.run(command, timeout=600, stderr=subprocess.DEVNULL)


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
