"""The sample's promise: the same bytes each time, on a busy machine and on another processor."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reelflow.sample import encode as encoding
from reelflow.sample.encode import FORMATS, Format, encode
from reelflow.sample.plan import Planned, plan
from reelflow.video.ffmpeg import ffmpeg_exe


@pytest.fixture
def load() -> Iterator[None]:
    """Four busy loops beside."""
    loop = ["nice", sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(loop) for _ in range(4)]
    yield
    for each in loops:
        each.kill()
        each.wait()


@pytest.mark.slow
@pytest.mark.usefixtures("load")
def test_no_format_depends_on_load_or_on_what_memory_held_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = plan(10, 5, 0)
    assert {video.format for video in videos} == set(FORMATS)
    found = defaultdict(set)
    # The C library of Linux fills memory that a program asks for with bytes made from this number;
    # what nobody has set would else hold other bytes once in some hundred times.
    for fill in ("0", "1", "128", "255"):
        monkeypatch.setenv("MALLOC_PERTURB_", fill)
        for video in videos:
            found[video.path].add(_bytes_of(video, tmp_path / "written"))
    assert [name for name, seen in found.items() if len(seen) > 1] == []


@pytest.mark.slow
def test_no_format_depends_on_what_the_processor_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_format = {video.format: video for video in plan(10, 5, 0)}
    assert set(of_format) == set(FORMATS)
    written = tmp_path / "written"
    usual = [_bytes_of(video, written) for video in of_format.values()]
    # Each encoder has its own way to be told that the processor is a plain one.
    plain = tmp_path / "ffmpeg"
    plain.write_text(f'#!/bin/sh\nexec "{ffmpeg_exe()}" -cpuflags 0 "$@"\n')
    plain.chmod(0o755)
    monkeypatch.setattr(encoding, "ffmpeg_exe", lambda: str(plain))
    monkeypatch.setenv("VPX_SIMD_CAPS", "0")
    slow = [replace(video, format=without_assembly(form)) for form, video in of_format.items()]
    assert [_bytes_of(video, written) for video in slow] == usual


def _bytes_of(video: Planned, path: Path) -> bytes:
    encode(video.scene(0).render(), path, video.format, video.rate)
    return path.read_bytes()


def without_assembly(form: Format) -> Format:
    """The format, written by the plain C code of its encoder."""
    asm = {"x264-params": ":asm=0", "x265-params": ":no-asm=1"}
    options = {
        name: f"{value}{asm[name]}" if name in asm else value
        for name, value in form.options.items()
    }
    return replace(form, options=options)
