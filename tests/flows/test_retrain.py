"""Retrain: the inbox into `data/raw` once, DVC told of it, then the graph."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.raw_videos import take_in
from reelflow.base.errors import DataError
from tests.flows.prefect_api import PrefectApi
from tests.flows.tiny import STAGES, Tiny

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # of DVC

FLOW = "from flows.retrain import retrain; print(retrain(settle_s=0, return_state=True).message)"


def put(tiny: Tiny, place: str, content: str) -> None:
    path = tiny.root / "data/inbox" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def noted(tiny: Tiny) -> Any:
    return yaml.safe_load(tiny.read("data/raw.dvc"))["outs"][0]


def intake() -> list[str]:
    lines: list[str] = []
    take_in(lines.append, settle_s=-1.0)
    return lines


def test_new_videos_are_in_raw_and_dvc_has_noted_them(tiny: Tiny) -> None:
    put(tiny, "x/b.mp4", "b\n")
    lines = intake()
    assert "taken: x/b.mp4" in lines
    assert noted(tiny)["nfiles"] == 2
    assert tiny.call("dvc", "status", "data/raw.dvc").stdout.endswith("up to date.\n")


def test_with_an_empty_inbox_nothing_is_written(tiny: Tiny) -> None:
    before = (tiny.root / "data/raw.dvc").stat().st_mtime_ns
    assert intake() == []
    assert (tiny.root / "data/raw.dvc").stat().st_mtime_ns == before


def test_what_is_left_is_said_with_its_reason(tiny: Tiny) -> None:
    put(tiny, "loose.mp4", "l\n")
    [line] = intake()
    assert line.startswith("left in data/inbox: loose.mp4: It lies in no class.")


def test_a_kill_between_taking_and_noting_is_mended_by_the_next_call(tiny: Tiny) -> None:
    put(tiny, "x/b.mp4", "b\n")
    killed = "from flows import raw_videos; from flows.engine import raw_in_dvc; "
    killed += "raw_in_dvc.add = lambda line: __import__('os')._exit(9); "
    killed += "raw_videos.take_in(print, settle_s=-1.0)"
    tiny.call(sys.executable, "-c", killed, check=False)
    assert noted(tiny)["nfiles"] == 1
    assert (tiny.root / "data/raw/x/b.mp4").exists()
    intake()
    assert noted(tiny)["nfiles"] == 2


def test_a_clone_without_its_videos_fetches_them_before_it_takes_new_ones(tiny: Tiny) -> None:
    shutil.rmtree(tiny.root / "data/raw")
    put(tiny, "x/b.mp4", "b\n")
    intake()
    assert sorted(path.name for path in (tiny.root / "data/raw/x").iterdir()) == ["a.mp4", "b.mp4"]


def test_a_clone_that_cannot_fetch_its_videos_takes_nothing(tiny: Tiny) -> None:
    shutil.rmtree(tiny.root / "data/raw")
    shutil.rmtree(tiny.root / ".dvc/cache")
    put(tiny, "x/b.mp4", "b\n")
    before = noted(tiny)
    with pytest.raises(DataError, match="data/raw is not here and DVC cannot fetch it"):
        intake()
    assert noted(tiny) == before
    assert (tiny.root / "data/inbox/x/b.mp4").exists()


def test_the_first_videos_of_a_new_project_come_through_the_inbox(tiny: Tiny) -> None:
    shutil.rmtree(tiny.root / "data/raw")
    (tiny.root / "data/raw.dvc").unlink()
    put(tiny, "x/b.mp4", "b\n")
    intake()
    assert noted(tiny)["nfiles"] == 1


@pytest.mark.integration
def test_the_flow_takes_the_inbox_runs_the_graph_and_with_nothing_new_trains_nothing(
    tiny: Tiny, prefect_api: PrefectApi
) -> None:
    tiny.environment |= prefect_api.environment()
    put(tiny, "x/b.mp4", "b\n")
    put(tiny, "y/a.mp4", "a\n")
    first = tiny.call(sys.executable, "-c", FLOW)
    assert "Inbox: 1 new, 0 known, 1 left. Done: one, left, right, join." in first.stdout
    assert tiny.read("join.txt") == "a\nb\na\nb\n"
    run = prefect_api.latest("retrain")
    tasks = prefect_api.tasks(run["id"], 5)
    assert set(tasks) == {"inbox", *STAGES}
    taken, left = prefect_api.logs(tasks["inbox"])[:2]
    assert taken == "taken: x/b.mp4"
    assert left.startswith("left in data/inbox: y/a.mp4: The same bytes also have the label x")

    second = tiny.call(sys.executable, "-c", FLOW)
    assert "Inbox: 0 new, 0 known, 1 left. Nothing changed: nothing to do." in second.stdout
    tasks = prefect_api.tasks(prefect_api.latest("retrain")["id"], 5)
    assert {tasks[name]["state_name"] for name in STAGES} == {"Cached"}


@pytest.mark.integration
def test_a_retrain_killed_in_a_stage_goes_on_and_takes_nothing_twice(
    tiny: Tiny, prefect_api: PrefectApi
) -> None:
    tiny.environment |= prefect_api.environment()
    put(tiny, "x/b.mp4", "b\n")
    tiny.hold()
    started = tiny.start(sys.executable, "-c", FLOW)
    tiny.in_the_middle()
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    (tiny.root / "go").touch()
    again = tiny.call(sys.executable, "-c", FLOW)
    assert "Inbox: 0 new, 0 known, 0 left. Done: join." in again.stdout
    assert tiny.read("join.txt") == "a\nb\na\nb\n"
    assert sorted(path.name for path in Path("data/raw/x").iterdir()) == ["a.mp4", "b.mp4"]
