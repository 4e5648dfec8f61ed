"""The frame store under DVC: what one more video costs it, and what a clone finds again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reelflow.store.frame_store import FrameStore
from tasks.common.dvc_outputs import committed_files
from tests.checkout import Checkout, make_checkout
from tests.conftest import MakeVideo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Frames of the sample, under DVC and committed."""
    checkout = make_checkout(tmp_path_factory.mktemp("frames") / "project")
    # Shards of a few clips.
    checkout.set_params(extract={"frames": 32, "height": 128, "width": 128})
    checkout.dvc("add", "data/raw")
    checkout.dvc("repro", "extract")
    checkout.call("git", "add", "-A")
    checkout.call("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "done")
    return checkout


@pytest.fixture
def copy(done: Checkout, tmp_path: Path) -> Checkout:
    return done.copy(tmp_path / "project")


def inodes(checkout: Checkout) -> dict[str, int]:
    return {p.name: p.stat().st_ino for p in (checkout.root / "data/frames").glob("*.npy")}


def test_one_more_video_leaves_all_other_shards_where_they_are(
    done: Checkout, tmp_path: Path, make_video: MakeVideo
) -> None:
    checkout = make_checkout(tmp_path / "project")
    checkout.set_params(extract={"frames": 32, "height": 128, "width": 128})
    checkout.dvc("add", "data/raw")
    checkout.dvc("repro", "extract")
    assert checkout.hashes() == done.hashes()
    before = inodes(checkout)
    assert len(before) >= 6
    make_video(checkout.root / "data/raw/star_sinking/new.mp4", seed=1)
    listed = checkout.root / "data/raw/videos.csv"
    text = listed.read_text() + "star_sinking/new.mp4,star_sinking,new\n"
    listed.unlink()
    listed.write_text(text)
    assert "1 new" in checkout.dvc("repro", "extract")
    after = inodes(checkout)
    assert len(before.items() - after.items()) == 1
    # A name in the store, one in the cache of frames, one in DVC's cache: a file once on the disk.
    assert {p.stat().st_nlink for p in (checkout.root / "data/frames").glob("*.npy")} == {3}
    assert "Data and pipelines are up to date" in checkout.dvc("repro", "extract")
    grown = checkout.hashes()
    for folder in ("data/frames", ".reelflow"):
        shutil.rmtree(checkout.root / folder)
    (checkout.root / "dvc.lock").unlink()
    checkout.dvc("repro", "extract")
    assert checkout.hashes() == grown


def test_a_clone_that_pulled_decodes_only_what_is_new(done: Checkout, tmp_path: Path) -> None:
    done.dvc("remote", "add", "-f", "-d", "--local", "store", str(tmp_path / "store"))
    done.dvc("push")
    clone = Checkout(tmp_path / "clone")
    done.call("git", "clone", "-q", ".", str(clone.root))
    clone.dvc("remote", "add", "-f", "-d", "--local", "store", str(tmp_path / "store"))
    clone.dvc("pull", "data/raw", "ingest", "extract")
    clone.set_params(extract={"timeout_s": 60.0})
    assert " 0 new" in clone.dvc("repro", "extract")
    assert clone.hashes() == done.hashes()


def test_frames_that_were_made_before_dvc_could_take_them_are_not_lost(copy: Checkout) -> None:
    shutil.rmtree(copy.root / "data/frames")
    shutil.rmtree(copy.root / ".dvc/cache")
    (copy.root / "dvc.lock").unlink()
    assert " 0 new" in copy.dvc("repro", "extract")


def test_what_dvc_committed_is_found_by_name(
    done: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(done.root)
    found = committed_files(Path("data/frames"))
    store = FrameStore(Path("data/frames"))
    assert found.keys() == {path.name for path in store.root.iterdir()}
    assert all(path.samefile(store.root / name) for name, path in found.items())
    assert committed_files(Path("data/unknown")) == {}


def test_a_cache_at_another_place_is_found(copy: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = copy.root.parent / "elsewhere"
    copy.dvc("cache", "dir", "--local", str(elsewhere))
    (copy.root / ".dvc/cache").rename(elsewhere)
    monkeypatch.chdir(copy.root)
    found = committed_files(Path("data/frames"))
    assert found
    assert all(path.is_file() for path in found.values())


def test_where_dvc_knows_nothing_nothing_is_found(project: Path) -> None:
    assert committed_files(Path("data/frames")) == {}
    (project / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    assert committed_files(Path("data/frames")) == {}
