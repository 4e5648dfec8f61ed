"""Five hundred clips; the driver, a worker and decoders are killed on the way: the same bytes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml

from reelflow.video.check_by_decoding import VideoInfo, check_video, hash_file
from reelflow.video.process_limits import Bounds
from tests.conftest import ROOT, MakeVideo
from tests.folder import Folder
from tests.processes import family

pytestmark = pytest.mark.slow

CLIPS, FILES = 500, 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Folder:
    """Videos, their manifest, and the frames of an extraction that nothing disturbed."""
    root = tmp_path_factory.mktemp("kills")
    rows: list[dict[str, object]] = []
    for seed in range(FILES):
        # Lossless video is left to ffmpeg by the process that decodes most.
        name, codec = (f"{seed}.mkv", "ffv1") if seed % 4 == 0 else (f"{seed}.mp4", "libx264")
        path = make_video(root / "data/raw" / name, codec=codec, seed=seed)
        info = check_video(path, Bounds())
        rows += [twin(path, number, info) for number in range(CLIPS // FILES)]
    pd.DataFrame(rows).to_parquet(root / "data/manifest.parquet")
    folder = Folder(root)
    set_engine(folder, "local")
    folder.call("python", "-m", "tasks.extract")
    return folder


def twin(path: Path, number: int, info: VideoInfo) -> dict[str, object]:
    """A copy of a video with other bytes that no decoder looks at: its row of the manifest."""
    box = b"\0\0\0\x10free%08d" % number
    copy = path.with_name(f"{number}-{path.name}")
    copy.write_bytes(path.read_bytes() + box)
    return {**vars(info), "path": copy.name, "hash": hash_file(copy)}


def set_engine(folder: Folder, engine: str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["extract"].update(engine=engine, workers=2, frames=8, height=32, width=32)
    (folder.root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def frames(folder: Folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder.root / "data/frames").iterdir()}


def wait_until(true: Callable[[], object], driver: subprocess.Popen[str], folder: Folder) -> None:
    deadline = time.monotonic() + 600
    while not true():
        assert time.monotonic() < deadline, folder.output()
        assert driver.poll() is None, folder.output()
        time.sleep(0.01)


def clips(folder: Folder) -> int:
    return len(list((folder.root / ".reelflow/frames/clips").glob("[!.]*.npy")))


def kill_one(pid: int, sign: str) -> bool:
    """Kill one of those at work, if there is one."""
    for process in family(pid, sign):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
        return True
    return False


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_whoever_is_killed_the_bytes_are_the_same_in_the_end(
    whole: Folder, tmp_path: Path, engine: str
) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("raw", "manifest.parquet"):
        (tmp_path / "data" / name).symlink_to(whole.root / "data" / name)
    set_engine(folder, engine)

    driver = folder.start("python", "-m", "tasks.extract")
    wait_until(lambda: clips(folder) >= 100, driver, folder)
    workers = family(driver.pid, "spawn_main") + family(driver.pid, "pyav_process.py")
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    assert workers
    # Nobody goes on for a driver that is gone.
    _, alive = psutil.wait_procs(workers, timeout=300)
    assert not alive
    had = clips(folder)

    driver = folder.start("python", "-m", "tasks.extract")
    wait_until(lambda: clips(folder) >= had + 50, driver, folder)
    for program in ("pyav_process.py", "ffmpeg-"):
        wait_until(lambda name=program: kill_one(driver.pid, name), driver, folder)  # type: ignore[misc]
    if engine == "dask":
        wait_until(lambda: kill_one(driver.pid, "spawn_main"), driver, folder)
    assert driver.wait(timeout=1800) == 0, folder.output()
    new = re.search(r"500 clips of 8 frames: (\d+) new", folder.output())
    assert new
    assert int(new[1]) <= CLIPS - had
    assert frames(folder) == frames(whole)
    assert not list(tmp_path.rglob(".tmp-*"))
