"""Fixtures for all tests: small true videos, made by ffmpeg itself, and where to find real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reelflow.base import telemetry
from reelflow.video.ffmpeg import ffmpeg_exe
from tests.flows.prefect_api import PrefectApi, server_on

telemetry.off()

ROOT = Path(__file__).parent.parent

MakeVideo = Callable[..., Path]


def ffmpeg(*arguments: str) -> bytes:
    """Call ffmpeg plainly; its output is the truth that ours is compared with."""
    command = [ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600).stdout


@pytest.fixture(scope="session")
def make_video() -> MakeVideo:
    """`make_video(path, seconds=1, rate=10, size="64x48", codec="libx264", options=[], seed=0)`."""

    def make(
        path: Path,
        *,
        seconds: float = 1.0,
        rate: int = 10,
        size: str = "64x48",
        codec: str = "libx264",
        options: tuple[str, ...] = (),
        seed: int = 0,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = f"testsrc2=size={size}:rate={rate}:duration={seconds},hue=h={seed * 7}"
        ffmpeg("-f", "lavfi", "-i", picture, "-c:v", codec, *options, f"file:{path}")
        return path

    return make


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real videos beside the project; the test is skipped where there are none."""
    folder = ROOT.parent / "shared"
    if not (folder / "zoo").is_dir():
        pytest.skip("needs the real videos of ../shared, which are not here")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder with the default params, in which stages can be run."""
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectApi]:
    """A Prefect server on a free loopback port, for all runs that need not start one themselves."""
    with server_on(tmp_path_factory.mktemp("prefect")) as api:
        yield api


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database, made once: its first migration takes seconds."""
    import mlflow

    from reelflow.tracking.mlflow_client import connect

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(f"sqlite:///{file}")
    mlflow.set_tracking_uri(None)
    return file


@pytest.fixture
def mlflow_project(
    project: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A project folder that has its own empty MLflow, as a run without an address leaves it."""
    import mlflow

    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    telemetry.off()
    shutil.copyfile(mlflow_database, project / "mlflow.db")
    yield project
    mlflow.set_tracking_uri(None)
