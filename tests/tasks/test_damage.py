"""Files that were damaged on the disk after they were made: what is trusted carries a proof."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.checkout import TINY, Checkout, make_project
from tests.conftest import MakeVideo

pytestmark = pytest.mark.slow

FRAMES = "data/frames"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Checkout:
    """Frames of a few videos, under DVC."""
    checkout = make_project(tmp_path_factory.mktemp("damage") / "project")
    checkout.set_params(**TINY)
    for number, label in enumerate(("run", "sit")):
        for seed in range(3):
            path = checkout.root / f"data/raw/{label}/{seed}.mp4"
            make_video(path, seed=seed + 10 * number, seconds=0.5)
    checkout.dvc("add", "data/raw")
    checkout.dvc("repro", "extract")
    return checkout


@pytest.fixture
def copy(done: Checkout, tmp_path: Path) -> Checkout:
    # Linked like the original, so that files that share the disk still do.
    subprocess.run(["cp", "-a", str(done.root), str(tmp_path / "project")], check=True)
    return Checkout(tmp_path / "project")


def shard(checkout: Checkout) -> Path:
    (found,) = (checkout.root / FRAMES).glob("*.npy")
    return found


def damage(path: Path, *, unnoticed: bool = False) -> None:
    """Turn a few bits in the middle, in place, as a failing disk or a mistaken program does."""
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        found = file.read(8)
        file.seek(before.st_size // 2)
        file.write(bytes(byte ^ 0x55 for byte in found))
    path.chmod(before.st_mode)
    if unnoticed:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def outputs(checkout: Checkout) -> dict[str, bytes]:
    files = [path for path in (checkout.root / "data").rglob("*") if path.is_file()]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize("names", [["*.npy"], ["index.parquet", "spec.json", "manifest.parquet"]])
def test_what_was_damaged_is_made_again_and_dvc_cannot_bring_the_damage_back(
    copy: Checkout, names: list[str]
) -> None:
    whole, lock = outputs(copy), copy.lock()
    for name in names:
        (path,) = (copy.root / "data").rglob(name)
        assert path.stat().st_nlink > 1  # DVC's copy is the same file
        damage(path)
    again = "from flows.engine.dvc_repro import reproduce; [reproduce(name, print) for name in "
    told = copy.call("python", "-c", f"{again}('ingest', 'extract')]").stdout
    assert "damaged in DVC's cache" in told
    assert outputs(copy) == whole
    assert copy.lock() == lock
    assert "up to date" in copy.dvc("status", "ingest", "extract")
    for output in (FRAMES, "data/manifest.parquet"):
        subprocess.run(["rm", "-r", str(copy.root / output)], check=True)
    copy.dvc("checkout", FRAMES, "data/manifest.parquet")
    assert outputs(copy) == whole


def test_damage_that_left_no_trace_is_found_by_validate_and_mended_by_the_next_run(
    copy: Checkout,
) -> None:
    whole = outputs(copy)
    path = shard(copy)
    damage(path, unnoticed=True)
    told = copy.call("python", "-m", "tasks.validate", check=False)
    assert told.returncode == 1
    assert f"1 shards of data/frames are damaged ({path.name}) and were removed" in told.stdout
    damaged = [other for other in copy.root.rglob("*") if other.name == path.name]
    assert not damaged
    assert "6 new" in copy.dvc("repro", "extract")
    assert outputs(copy) == whole


def test_another_ffmpeg_judges_and_decodes_all_anew(copy: Checkout) -> None:
    asked = (
        "from flows.engine.unseen_by_dvc import missing_effect as m; "
        "print(m('ingest'), m('extract'))"
    )
    assert copy.call("python", "-c", asked).stdout.strip() == ""
    other = copy.root / "ffmpeg"
    true = "from reelflow.video.ffmpeg import ffmpeg_exe; print(ffmpeg_exe())"
    version = '[ "$1" = -version ] && echo "ffmpeg version 99.1 of a test" && exit'
    real = copy.call("python", "-c", true).stdout.strip()
    other.write_text(f'#!/bin/sh\n{version}\nexec "{real}" "$@"\n')
    other.chmod(0o755)
    copy.environment["IMAGEIO_FFMPEG_EXE"] = str(other)
    assert copy.call("python", "-c", asked).stdout.count("now there is ffmpeg 99.1") == 2
    before = shard(copy).name
    told = copy.dvc("repro", "--force", "--single-item", "ingest")
    assert "checking videos: 6 done" in told
    # One more video alone, and they would stand side by side.
    assert "6 new" in copy.dvc("repro", "--force", "--single-item", "extract")
    assert shard(copy).name[:8] != before[:8]
    assert copy.call("python", "-c", asked).stdout.strip() == ""
