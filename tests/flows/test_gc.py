"""`reelflow gc`: only what nothing refers to goes, and nothing of DVC's cache."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.extraction.decoded_cache import DecodedCache, clip_path, unreferenced
from reelflow.store import shards as store_module
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.shards import record_of, shards_of, write_shard
from tests.checkout import Checkout, make_checkout

SPEC, FORMER = ClipSpec(1, 16, 16), ClipSpec(1, 16, 16, fit="pad")
NOTHING = "All that is kept is referred to."


def commit(checkout: Checkout, message: str) -> None:
    checkout.call("git", "add", "-A")
    checkout.call("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", message)


def extract(checkout: Checkout, side: int) -> None:
    checkout.set_params(extract={"frames": 32, "height": side, "width": side})
    checkout.dvc("repro", "extract")
    commit(checkout, f"frames of {side} pixels")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Frames of two settings, each committed; the second are the present ones."""
    checkout = make_checkout(tmp_path_factory.mktemp("gc") / "project")
    checkout.dvc("add", "data/raw")
    extract(checkout, 96)
    extract(checkout, 64)
    return checkout


@pytest.fixture
def copy(grown: Checkout, tmp_path: Path) -> Checkout:
    # Linked like the original, so that files that share the disk still do.
    subprocess.run(["cp", "-a", str(grown.root), str(tmp_path / "project")], check=True)
    return Checkout(tmp_path / "project")


def shards(checkout: Checkout) -> set[str]:
    return {path.name for path in (checkout.root / ".reelflow/frames").glob("*.npy")}


@pytest.mark.slow
def test_without_yes_nothing_is_removed(grown: Checkout) -> None:
    before = {path: path.stat().st_ino for path in grown.root.rglob("*") if path.is_file()}
    told = grown.call("reelflow", "gc").stdout
    assert "files  of other settings" in told
    assert "Nothing was removed yet" in told
    assert {path: path.stat().st_ino for path in before} == before


@pytest.mark.slow
def test_what_is_removed_is_room_and_all_else_works_as_before(copy: Checkout) -> None:
    lock = copy.lock()
    features = copy.root / ".reelflow/features/0123456789abcdef" / f"{'0' * 64}.npy"
    features.parent.mkdir(parents=True)
    features.write_bytes(bytes(1 << 20))
    checkpoint = copy.root / ".reelflow/checkpoints/0123"
    checkpoint.parent.mkdir()
    checkpoint.touch()
    os.utime(checkpoint, (0, 0))
    present = {path.name for path in (copy.root / "data/frames").glob("*.npy")}
    assert present < shards(copy)
    used = sum(f.stat().st_size / f.stat().st_nlink for f in copy.root.rglob("*") if f.is_file())
    told = copy.call("reelflow", "gc", "--yes").stdout
    left = sum(f.stat().st_size / f.stat().st_nlink for f in copy.root.rglob("*") if f.is_file())
    freed = float(told.split("Removed; ")[1].split(" MiB")[0].replace(",", ""))
    assert freed >= 1
    assert (used - left) / 2**20 == pytest.approx(freed, abs=0.2)
    assert shards(copy) == present
    assert "1 files  features of other settings" in told
    assert "1 files  checkpoints of a week ago or more" in told
    assert not features.exists()
    assert not checkpoint.exists()
    assert "Data and pipelines are up to date" in copy.dvc("repro", "extract")
    assert copy.lock() == lock
    shutil.rmtree(copy.root / "data/frames")
    copy.dvc("checkout", "data/frames", "data/raw", "data/manifest.parquet")
    assert NOTHING in copy.call("reelflow", "gc").stdout
    # What went, and is no longer in DVC's cache, is made anew when it is asked for.
    copy.dvc("gc", "--workspace", "--force")
    copy.set_params(extract={"height": 96, "width": 96})
    assert "48 new" in copy.dvc("repro", "extract")


@pytest.mark.slow
def test_outside_of_a_project_it_is_a_sentence(tmp_path: Path, grown: Checkout) -> None:
    done = Checkout(tmp_path).call("reelflow", "gc", check=False)
    assert done.returncode == 1
    assert "error: params.yaml does not exist" in done.stdout
    assert "Traceback" not in done.stdout


def videos(*numbers: int) -> list[str]:
    return sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in numbers)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty clips in shards of four, and the same of former settings."""
    monkeypatch.setattr(store_module, "SHARD_BYTES", 4 * math.prod(SPEC.shape))
    for spec in (SPEC, FORMER):
        put(tmp_path, spec, videos(*range(20)))
    return tmp_path


def put(folder: Path, spec: ClipSpec, members: list[str]) -> list[str]:
    """Shards of these videos; returns their names."""
    cache = DecodedCache(folder, spec)
    for video in members:
        clip = Clip(np.zeros(spec.shape, np.uint8), np.zeros(1))
        write_shard(clip_path(folder, spec, video), record_of(video, clip))
    names = shards_of(members, spec)
    for name, some in names.items():
        cache.assemble(name, some, {})
    return list(names)


def test_shards_that_a_store_names_stay_whatever_their_settings(kept: Path) -> None:
    names = {path.name for path in kept.glob("*.npy")}
    assert dict(unreferenced(kept, names, SPEC, set())) == {}
    found = dict(unreferenced(kept, set(shards_of(videos(*range(20)), SPEC)), SPEC, set()))
    assert {path.name for path in found} == set(shards_of(videos(*range(20)), FORMER))
    assert set(found.values()) == {"of other settings"}


def test_a_clip_stays_while_the_ledger_names_its_video(kept: Path) -> None:
    fewer = videos(*range(1, 20))
    present = set(put(kept, SPEC, fewer)) | {p.name for p in kept.glob(f"{FORMER.id}-*")}
    gone = videos(0)[0]
    assert dict(unreferenced(kept, present, SPEC, {gone, *fewer})) == {}
    found = dict(unreferenced(kept, present, SPEC, set(fewer)))
    assert set(found.values()) == {"replaced, or of videos that are gone"}
    assert len(found) == 1
    assert gone.encode() in np.load(next(iter(found)))["hash"]


def test_clips_of_an_interrupted_extraction_stay_while_they_are_wanted(kept: Path) -> None:
    names = {path.name for path in kept.glob("*.npy")}
    waiting, other = videos(100, 101)
    for video in (waiting, other):
        clip = Clip(np.zeros(SPEC.shape, np.uint8), np.zeros(1))
        write_shard(clip_path(kept, SPEC, video), record_of(video, clip))
    found = dict(unreferenced(kept, names, SPEC, {waiting}))
    assert list(found) == [clip_path(kept, SPEC, other)]


def test_a_store_that_lost_its_videos_is_no_reason_to_keep_them(kept: Path) -> None:
    found = dict(unreferenced(kept, set(), SPEC, set()))
    assert len(found) == len(list(kept.glob("*.npy")))
    assert pd.Series(found).value_counts().to_dict().keys() == {
        "of other settings", "replaced, or of videos that are gone",
    }  # fmt: skip
