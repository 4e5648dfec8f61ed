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
from reelflow.sample.encode import FORMATS, Format, Job, encode
from reelflow.sample.plan import plan
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
    jobs = [video.job(tmp_path / video.path.replace("/", "_"), 0) for video in videos]
    found = defaultdict(set)
    # The C library of Linux fills memory that a program asks for with bytes made from this number;
    # what nobody has set would else hold other bytes once in some hundred times.
    for fill in ("0", "1", "128", "255"):
        monkeypatch.setenv("MALLOC_PERTURB_", fill)
        for job in jobs:
            encode(job)
            found[job.path.name].add(job.path.read_bytes())
    assert [name for name, seen in found.items() if len(seen) > 1] == []


@pytest.mark.slow
def test_no_format_depends_on_what_the_processor_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_format = {video.format: video for video in plan(10, 5, 0)}
    assert set(of_format) == set(FORMATS)
    jobs = [video.job(tmp_path / str(n), 0) for n, video in enumerate(of_format.values())]
    usual = [_bytes_of(job) for job in jobs]
    # Each encoder has its own way to be told that the processor is a plain one.
    plain = tmp_path / "ffmpeg"
    plain.write_text(f'#!/bin/sh\nexec "{ffmpeg_exe()}" -cpuflags 0 "$@"\n')
    plain.chmod(0o755)
    monkeypatch.setattr(encoding, "ffmpeg_exe", lambda: str(plain))
    monkeypatch.setenv("VPX_SIMD_CAPS", "0")
    plain_jobs = [replace(job, format=without_assembly(job.format)) for job in jobs]
    assert [_bytes_of(job) for job in plain_jobs] == usual


def _bytes_of(job: Job) -> bytes:
    encode(job)
    return job.path.read_bytes()


def without_assembly(form: Format) -> Format:
    """The format, written by the plain C code of its encoder."""
    asm = {"x264-params": ":asm=0", "x265-params": ":no-asm=1"}
    options = {
        name: f"{value}{asm[name]}" if name in asm else value
        for name, value in form.options.items()
    }
    return replace(form, options=options)
