"""Decoding on a Dask cluster of this machine: the same bytes, whoever is lost on the way."""

from __future__ import annotations

import math
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import dask
import pandas as pd
import pytest
from distributed import LocalCluster, Nanny

from reelflow.base.errors import DataError, UnavailableError, VideoError
from reelflow.extraction import dask_engine as daskengine
from reelflow.extraction.dask_engine import dask_engine
from reelflow.extraction.decoded_cache import DecodedCache
from reelflow.extraction.engines import Engine, Video, local_engine
from reelflow.extraction.fill_store import extract_missing, finish_store, wanted_shards
from reelflow.store import shards as store_module
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo
from tests.processes import family, wait_until

SPEC = ClipSpec(4, 24, 32)
VIDEOS = 12


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Path:
    """Raw videos, their manifest, and the store that this machine's own processes make of them."""
    root = tmp_path_factory.mktemp("dask")
    for seed in range(VIDEOS):
        make_video(root / "raw" / f"{seed} é.mp4", seed=seed, seconds=0.5)
    rows = [
        {**vars(check_video(path, Bounds())), "path": path.name}
        for path in sorted((root / "raw").iterdir())
    ]
    pd.DataFrame(rows).to_parquet(root / "manifest.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "SHARD_BYTES", 2 * math.prod(SPEC.shape))
        extract(root, "local", local_engine(root / "raw", root / "local", SPEC, Bounds(), 2))
    return root


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "SHARD_BYTES", 2 * math.prod(SPEC.shape))


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as started:
        yield started


@pytest.fixture
def address(cluster: LocalCluster) -> Iterator[str]:
    """Of a cluster that was there before, as DASK_SCHEDULER_ADDRESS would name it."""
    with dask.config.set({"scheduler-address": cluster.scheduler_address}):
        yield cluster.scheduler_address


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of the frame cache of a test."""
    return str(abs(hash(request.node.name)))


def extract(root: Path, name: str, engine: Engine) -> dict[str, bytes]:
    """What the store consists of that an engine made."""
    shards, cache = wanted_shards(root / "manifest.parquet", SPEC), DecodedCache(root / name, SPEC)
    assert extract_missing(root / "manifest.parquet", shards, cache, engine, {}) == VIDEOS
    return store(root, name)


def store(root: Path, name: str) -> dict[str, bytes]:
    shards, cache = wanted_shards(root / "manifest.parquet", SPEC), DecodedCache(root / name, SPEC)
    finish_store(shards, cache, root / f"{name}-frames", SPEC)
    return {path.name: path.read_bytes() for path in (root / f"{name}-frames").iterdir()}


def engine_of(root: Path, name: str, raw: str | None = None) -> Engine:
    return dask_engine(raw or str(root / "raw"), root / name, SPEC, Bounds(), 2)


def test_a_cluster_that_is_started_for_it_gives_the_same_bytes(project: Path, name: str) -> None:
    assert extract(project, name, engine_of(project, name)) == store(project, "local")
    assert not family(os.getpid(), "spawn")


def test_a_cluster_that_was_there_gives_the_same_bytes(
    project: Path, name: str, address: str
) -> None:
    assert extract(project, name, engine_of(project, name)) == store(project, "local")


def test_videos_at_an_address_give_the_same_bytes(project: Path, name: str, address: str) -> None:
    raw = f"file://{project}/raw/"
    assert extract(project, name, engine_of(project, name, raw)) == store(project, "local")


def test_what_is_wrong_with_a_video_at_an_address_is_said(
    project: Path, name: str, address: str
) -> None:
    raw = project / f"raw {name}"
    shutil.copytree(project / "raw", raw)
    (raw / "3 é.mp4").unlink()
    (raw / "4 é.mp4").write_bytes((raw / "5 é.mp4").read_bytes())
    with pytest.raises(DataError, match="2 of 12 videos could not be decoded") as error:
        extract(project, name, engine_of(project, name, f"file://{raw}"))
    assert "3 é.mp4: There is no such file. Copy the videos there." in str(error.value)
    assert "4 é.mp4: It is no longer the file that was checked." in str(error.value)


def test_an_address_that_nothing_reads_is_a_sentence(
    project: Path, name: str, address: str
) -> None:
    with pytest.raises(UnavailableError, match="cannot be read on a Dask worker.*nowhere"):
        extract(project, name, engine_of(project, name, "nowhere://raw"))


def kill_one(cluster_pid: int) -> None:
    family(cluster_pid, "spawn_main")[0].kill()


def test_the_videos_of_a_worker_that_is_lost_are_done_again(
    project: Path, name: str, address: str
) -> None:
    engine = engine_of(project, name)
    killed = 0

    def run(videos: Iterable[Video]) -> Iterator[tuple[Video, VideoError | None]]:
        nonlocal killed
        for pair in engine(videos):
            if not killed:
                kill_one(os.getpid())
            killed += 1
            yield pair

    assert extract(project, name, run) == store(project, "local")
    assert killed == VIDEOS


def test_workers_that_dask_gave_up_are_started_anew(
    project: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[LocalCluster] = []

    class Noted(LocalCluster):
        def __init__(self, **how: object) -> None:
            super().__init__(**how)
            started.append(self)

    monkeypatch.setattr(daskengine, "LocalCluster", Noted)
    monkeypatch.setattr(daskengine, "_PATIENCE", 0.5)
    engine = dask_engine(str(project / "raw"), project / name, SPEC, Bounds(), 2)
    lost: list[Nanny] = []

    def run(videos: Iterable[Video]) -> Iterator[tuple[Video, VideoError | None]]:
        for pair in engine(videos):
            if not lost:
                # As where they die while they start: whoever would start them again is gone too.
                lost.extend(started[0].workers.values())
                for nanny in lost:
                    started[0].sync(nanny.close)
            yield pair

    with dask.config.set({"distributed.deploy.lost-worker-timeout": "100 ms"}):
        assert extract(project, name, run) == store(project, "local")
    assert len(lost) == 2


def test_a_cluster_without_workers_is_waited_for_and_that_is_said(
    project: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(daskengine, "_PATIENCE", 0.5)
    with LocalCluster(
        n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as empty:
        said = f"no worker is at {empty.scheduler_address}"

        def come_when_missed() -> None:
            wait_until(lambda: said in caplog.text)
            empty.scale(1)

        coming = threading.Thread(target=come_when_missed)
        coming.start()
        with dask.config.set({"scheduler-address": empty.scheduler_address}):
            assert extract(project, name, engine_of(project, name)) == store(project, "local")
        coming.join()
    assert said in caplog.text


def test_a_worker_of_another_version_is_refused(
    project: Path, name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daskengine, "_made_by", lambda spec: "clip 00000000, ffmpeg 1.0")
    with pytest.raises(DataError, match=r"another version.*ffmpeg 1\.0"):
        extract(project, name, engine_of(project, name))


def test_no_scheduler_at_the_address_is_a_sentence(project: Path, name: str) -> None:
    settings = {
        "scheduler-address": "tcp://127.0.0.1:9",
        "distributed.comm.timeouts.connect": "1s",
    }
    with dask.config.set(settings), pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9.*Start"):
        extract(project, name, engine_of(project, name))


def test_a_cluster_that_goes_away_is_a_sentence_and_what_it_sent_is_kept(
    project: Path, name: str
) -> None:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as short_lived:
        engine = engine_of(project, name)

        def run(videos: Iterable[Video]) -> Iterator[tuple[Video, VideoError | None]]:
            for number, pair in enumerate(engine(videos)):
                yield pair
                if number == 2:
                    short_lived.close()

        settings = {
            "scheduler-address": short_lived.scheduler_address,
            "distributed.comm.timeouts.connect": "2s",
        }
        with (
            dask.config.set(settings),
            pytest.raises(UnavailableError, match="went away"),
        ):
            extract(project, name, run)
    assert len(DecodedCache(project / name, SPEC).spare([])) >= 3
