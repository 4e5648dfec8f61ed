"""Deployments: `prefect deploy --all` and a process worker, offline, against a local server."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.flows.prefect_api import PrefectApi
from tests.flows.tiny import STAGES, Tiny
from tests.processes import wait_until
from tests.reports import imported, unguarded, watch

pytestmark = pytest.mark.integration

SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def deployed(tiny: Tiny, prefect_api: PrefectApi) -> Tiny:
    watch(tiny)
    tiny.environment |= prefect_api.environment()
    tiny.call("prefect", "work-pool", "create", "reelflow", "--type", "process", "--overwrite")
    tiny.call("prefect", "--no-prompt", "deploy", "--all")
    return tiny


@pytest.fixture
def worker(deployed: Tiny) -> Iterator[subprocess.Popen[str]]:
    """A worker that looks for runs each second; started in another folder than the project."""
    deployed.environment["PREFECT_WORKER_QUERY_SECONDS"] = "1"
    elsewhere = deployed.root.parent
    started = deployed.start(
        "sh", "-c", f"cd {elsewhere} && exec prefect worker start --pool reelflow --type process"
    )
    yield started
    for kind in (signal.SIGINT, signal.SIGKILL):
        if started.poll() is None:
            os.killpg(started.pid, kind)
            try:
                started.wait(15)
            except subprocess.TimeoutExpired:
                continue


def start(api: PrefectApi, name: str, **parameters: Any) -> str:
    """Ask for a run of a deployment; returns the id of the flow run."""
    found = api.ask(f"deployments/name/{name}")
    run = api.ask(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})
    return str(run["id"])


def ended(api: PrefectApi, flow_run_id: str) -> dict[str, Any]:
    final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    wait_until(lambda: api.flow_run(flow_run_id)["state_type"] in final)
    return api.flow_run(flow_run_id)


def states(api: PrefectApi, flow_run_id: str, count: int) -> dict[str, str]:
    return {name: run["state_name"] for name, run in api.tasks(flow_run_id, count).items()}


def test_the_file_holds_no_path_of_a_machine() -> None:
    assert SETTINGS["pull"] == [
        {"prefect.deployments.steps.set_working_directory": {"directory": "{{ here.stdout }}"}}
    ]
    assert "/home" not in (ROOT / "prefect.yaml").read_text(encoding="utf-8")


def test_what_is_deployed_is_what_the_file_says(deployed: Tiny, prefect_api: PrefectApi) -> None:
    train = prefect_api.ask("deployments/name/train/train")
    assert train["schedules"] == []
    assert set(train["parameter_openapi_schema"]["properties"]) == {"params", "wait_s"}
    retrain = prefect_api.ask("deployments/name/retrain/retrain")
    [schedule] = retrain["schedules"]
    assert (schedule["schedule"]["cron"], schedule["active"]) == ("0 2 * * *", True)
    assert retrain["global_concurrency_limit"]["limit"] == 1
    assert retrain["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert retrain["work_pool_name"] == "reelflow"


def test_a_worker_runs_both_deployments(
    deployed: Tiny, worker: subprocess.Popen[str], prefect_api: PrefectApi
) -> None:
    run = start(prefect_api, "train/train", params={"train.epochs": 4})
    assert ended(prefect_api, run)["state_type"] == "COMPLETED", deployed.output()
    assert states(prefect_api, run, 4) == dict.fromkeys(STAGES, "Completed")
    assert "epochs: 4 # passes" in deployed.read("params.yaml")

    video = deployed.root / "data/inbox/x/b.mp4"
    video.parent.mkdir(parents=True)
    video.write_text("b\n")
    time.sleep(0.1)
    run = start(prefect_api, "retrain/retrain", settle_s=0)
    assert ended(prefect_api, run)["state_type"] == "COMPLETED", deployed.output()
    assert states(prefect_api, run, 5) == dict.fromkeys(["inbox", *STAGES], "Completed")
    assert not video.exists()
    assert deployed.read("one.txt") == "a\nb\n"

    run = start(prefect_api, "retrain/retrain", settle_s=0)
    found = ended(prefect_api, run)
    assert found["state"]["message"].endswith("Nothing changed: nothing to do.")
    assert states(prefect_api, run, 5) == {"inbox": "Completed", **dict.fromkeys(STAGES, "Cached")}
    assert {"prefect", "dvc"} <= imported(deployed)
    assert unguarded(deployed) == []


def test_a_run_with_params_that_are_not_allowed_fails_with_the_sentence_and_no_traceback(
    deployed: Tiny, worker: subprocess.Popen[str], prefect_api: PrefectApi
) -> None:
    found = ended(prefect_api, start(prefect_api, "train/train", params={"train.epoch": 4}))
    assert found["state_type"] == "FAILED"
    assert "Did you mean `train.epochs`?" in found["state"]["message"]
    assert "Traceback" not in deployed.output()
    assert "epochs: 3 # passes" in deployed.read("params.yaml")
