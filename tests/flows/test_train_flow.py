"""The flow `train`: with no server, against one, and when something goes wrong in the middle."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows import server
from flows.outcome import PipelineResult, StageOutcome
from tests.flows.prefect_api import PrefectApi
from tests.flows.tiny import STAGES, Tiny, wait_until

REGISTER = {
    "cmd": "date +%N > registered; mkdir -p metrics; cp stamp.json metrics/register.json",
    "deps": ["join.txt"],
    "metrics": [{"metrics/register.json": {"cache": False}}],
}
STAMP = {"name": "tiny", "model_hash": "m" * 64, "data_hash": "d" * 64}


@pytest.fixture
def served(tiny: Tiny, prefect_api: PrefectApi) -> Tiny:
    """A tiny project whose runs report to the session's server."""
    tiny.environment |= prefect_api.environment()
    return tiny


def hold(tiny: Tiny) -> None:
    """Make the stage `join` wait in its middle until the file `go` is there."""
    wait = "for i in $(seq 600); do test -e go && break; sleep 0.1; done"
    tiny.stage("join", f"touch began; {wait}; {STAGES['join']['cmd']}")


def in_the_middle(tiny: Tiny) -> None:
    wait_until((tiny.root / "began").exists)


def test_a_result_has_the_exit_status_that_a_shell_expects() -> None:
    ran = [StageOutcome("one", "ran"), StageOutcome("two", "nothing to do")]
    assert PipelineResult(ran).exit_code == 0
    assert not PipelineResult(ran).nothing_to_do
    assert PipelineResult(ran[1:]).nothing_to_do
    assert PipelineResult(ran, error="x").exit_code == 1
    assert PipelineResult(ran, error="x", interrupted=True).exit_code == 130


def test_wrong_params_stop_everything_before_any_stage_and_any_server(tiny: Tiny) -> None:
    (tiny.root / "params.yaml").write_text("train:\n  epoch: 3\n")
    done = tiny.run()
    assert done.code == 1
    assert "Did you mean `train.epochs`?" in done.text
    assert not (tiny.root / "one.txt").exists()
    assert not (tiny.root / ".reelflow/prefect").exists()


def test_a_server_that_does_not_answer_is_a_sentence(tiny: Tiny) -> None:
    nobody = f"http://127.0.0.1:{server.free_port()}/api"
    tiny.environment["PREFECT_API_URL"] = nobody
    done = tiny.run()
    assert done.code == 1
    assert nobody in done.text
    assert "unset PREFECT_API_URL" in done.text
    assert "Traceback" not in done.text


@pytest.mark.integration
def test_without_a_server_all_runs_and_is_seen_later_and_then_nothing_is_left_to_do(
    tiny: Tiny,
) -> None:
    first = tiny.run()
    assert first.outcomes == dict.fromkeys(STAGES, "ran"), first.text
    assert tiny.call("dvc", "status").stdout == "Data and pipelines are up to date.\n"
    tiny.environment["PATH"] = "/nonexistent"  # no DVC, no Prefect, no server is started again
    again = tiny.run()
    assert again.outcomes == dict.fromkeys(STAGES, "nothing to do"), again.text
    home = tiny.root / ".reelflow/prefect"
    assert_seen(home, tiny)


def assert_seen(home: Path, tiny: Tiny) -> None:
    """A server on the home of a run without one shows that run, whole."""
    port = server.free_port()
    settings = {"PREFECT_HOME": str(home), "PREFECT_API_URL": ""}
    running = server.start(server.prefect_command(port, "--no-ui"), tiny.root / "log", settings)
    try:
        api = PrefectApi(f"http://127.0.0.1:{port}/api", home)
        server.wait_until_up(running, f"{api.url}/health", tiny.root / "log")
        run = api.latest("train")
        assert run["state_name"] == "Completed"
        assert set(api.tasks(run["id"], 4)) == set(STAGES)
    finally:
        server.stop(running)


@pytest.mark.integration
def test_each_stage_is_a_task_run_with_its_upstream_its_log_and_its_metrics(
    served: Tiny, prefect_api: PrefectApi
) -> None:
    done = served.run()
    assert done.outcomes == dict.fromkeys(STAGES, "ran"), done.text
    run = prefect_api.latest("train")
    tasks = prefect_api.tasks(run["id"], 4)
    assert {name: task["state_name"] for name, task in tasks.items()} == dict.fromkeys(
        STAGES, "Completed"
    )
    names = {task["id"]: name for name, task in tasks.items()}
    upstream = {
        name: {names[one["id"]] for one in task["task_inputs"]["wait_for"]}
        for name, task in tasks.items()
        if task["task_inputs"].get("wait_for")
    }
    assert upstream == {"left": {"one"}, "right": {"one"}, "join": {"left", "right"}}
    assert "reading" in prefect_api.logs(tasks["one"])
    assert "reading" not in prefect_api.logs(tasks["left"])
    assert done.text.splitlines().count("reading") == 1  # Prefect's lines are not on the console
    assert "Finished in state" not in done.text
    artifact = prefect_api.artifacts(run["id"])["metrics-left"]
    assert artifact["task_run_id"] == tasks["left"]["id"]
    assert json.loads(artifact["data"]) == [{"metric": "a.b", "value": 0.5}]


@pytest.mark.integration
def test_what_dvc_has_already_is_cached_and_a_new_stage_needs_no_other_edit(
    served: Tiny, prefect_api: PrefectApi
) -> None:
    served.call("dvc", "repro")
    added = {"cmd": "cp join.txt more.txt", "deps": ["join.txt"], "outs": ["more.txt"]}
    served.stages({**STAGES, "more": added})
    done = served.run()
    assert done.outcomes == {**dict.fromkeys(STAGES, "nothing to do"), "more": "ran"}, done.text
    tasks = prefect_api.tasks(prefect_api.latest("train")["id"], 5)
    assert {name: task["state_name"] for name, task in tasks.items()} == {
        **dict.fromkeys(STAGES, "Cached"),
        "more": "Completed",
    }


@pytest.mark.integration
def test_independent_stages_run_at_once(served: Tiny) -> None:
    for name, other in (("left", "right"), ("right", "left")):
        meet = f"for i in $(seq 300); do test -e met-{other} && break; sleep 0.1; done"
        command = f"touch met-{name}; {meet}; test -e met-{other} && {STAGES[name]['cmd']}"
        served.stage(name, command)
    done = served.run()
    assert done.outcomes == dict.fromkeys(STAGES, "ran"), done.text


@pytest.mark.integration
def test_a_failed_stage_is_the_message_of_the_flow_and_what_needs_it_is_not_run(
    served: Tiny, prefect_api: PrefectApi
) -> None:
    served.stage("left", "echo 'left: error: a.mp4 is broken. Delete it.'; exit 1")
    done = served.run()
    assert done.code == 1
    assert done.result["error"] == "a.mp4 is broken. Delete it."
    assert done.outcomes == {"one": "ran", "left": "failed", "right": "ran", "join": "not run"}
    assert "Traceback" not in done.text
    run = prefect_api.latest("train")
    assert (run["state_name"], run["state"]["message"]) == ("Failed", done.result["error"])
    tasks = prefect_api.tasks(run["id"], 3)
    assert {name: tasks[name]["state_name"] for name in ("left", "join")} == {
        "left": "Failed",
        "join": "NotReady",
    }
    assert tasks["left"]["run_count"] == 1  # a person's error is not tried again


@pytest.mark.integration
def test_a_failure_that_may_pass_is_tried_again(served: Tiny, prefect_api: PrefectApi) -> None:
    lost = "echo 'right: error: MLflow does not answer.'; exit 75"
    served.stage("right", f"test -e tried || {{ touch tried; {lost}; }}; cp one.txt right.txt")
    done = served.run()
    assert done.outcomes == dict.fromkeys(STAGES, "ran"), done.text
    tasks = prefect_api.tasks(prefect_api.latest("train")["id"], 4)
    assert tasks["right"]["run_count"] == 2


@pytest.mark.integration
def test_a_model_that_the_registry_lacks_is_registered_though_dvc_has_nothing_to_do(
    served: Tiny,
) -> None:
    (served.root / "stamp.json").write_text(json.dumps(STAMP))
    served.stages({**STAGES, "register": REGISTER})
    served.call("dvc", "repro")
    before = served.read("registered")
    done = served.run()
    assert done.outcomes["register"] == "ran", done.text
    assert done.result["stages"][-1]["message"] == "the registry does not hold this model as `tiny`"
    assert served.read("registered") != before


@pytest.mark.integration
@pytest.mark.parametrize(
    ("sign", "state"), [(signal.SIGINT, "Cancelled"), (signal.SIGTERM, "Crashed")]
)
def test_ctrl_c_and_kill_stop_the_stage_and_end_with_a_sentence(
    served: Tiny, prefect_api: PrefectApi, sign: signal.Signals, state: str
) -> None:
    hold(served)
    started = served.start()
    in_the_middle(served)
    started.send_signal(sign)
    assert started.wait(60) == 130
    assert "run the same command again to go on" in served.output()
    assert "Traceback" not in served.output()
    assert left_over(served) == []
    assert prefect_api.latest("train")["state_name"] == state
    (served.root / "go").touch()
    assert served.run().outcomes["join"] == "ran"


@pytest.mark.integration
def test_after_kill_9_in_the_middle_the_same_command_ends_as_if_nothing_had_happened(
    served: Tiny,
) -> None:
    hold(served)
    started = served.start()
    in_the_middle(served)
    started.kill()
    started.wait()
    (served.root / "began").unlink()
    again = served.start()
    in_the_middle(served)  # a second time: what the first had left at work was ended
    (served.root / "go").touch()
    assert again.wait(60) == 0, served.output()
    outcomes = {each["stage"]: each["outcome"] for each in served.last()["stages"]}
    assert outcomes == {**dict.fromkeys(STAGES, "nothing to do"), "join": "ran"}
    assert left_over(served) == []
    assert served.call("dvc", "status").stdout == "Data and pipelines are up to date.\n"


@pytest.mark.integration
def test_of_two_runs_the_second_says_who_is_at_work_and_harms_nothing(served: Tiny) -> None:
    hold(served)
    first = served.start()
    in_the_middle(served)
    second = served.run()
    assert second.code == 1
    assert f"process {first.pid}" in second.text
    (served.root / "go").touch()
    assert first.wait(60) == 0, served.output()
    assert served.run().result["error"] == ""


@pytest.mark.integration
def test_a_flow_of_a_deployment_waits_for_another_run_and_then_goes_on(served: Tiny) -> None:
    hold(served)
    first = served.start()
    in_the_middle(served)
    flow = "from flows.train import train; print(train(wait_s={}, return_state=True).message)"
    late = served.call(sys.executable, "-c", flow.format(1))
    assert "Another run of the pipeline is at work" in late.stdout
    (served.root / "go").touch()
    patient = served.call(sys.executable, "-c", flow.format(60))
    assert "Nothing changed: nothing to do." in patient.stdout
    assert first.wait(60) == 0


@pytest.mark.integration
def test_a_dvc_command_of_a_person_delays_a_flow_and_does_not_fail_it(served: Tiny) -> None:
    held = "from dvc.repo import Repo; import time; Repo().lock.lock(); open('held', 'w').close()"
    holder = served.start(sys.executable, "-c", f"{held}; time.sleep(12)")
    wait_until((served.root / "held").exists)
    flow = "from flows.train import train; print(train(wait_s=60, return_state=True).message)"
    assert "Done: one, left, right, join." in served.call(sys.executable, "-c", flow).stdout
    assert holder.wait(30) == 0


@pytest.mark.integration
def test_a_server_lost_in_the_middle_costs_a_sentence_and_nothing_computed(tiny: Tiny) -> None:
    home = tiny.root / "home"
    port = server.free_port()
    settings = {"PREFECT_HOME": str(home), "PREFECT_API_URL": ""}
    home.mkdir()
    running = server.start(server.prefect_command(port, "--no-ui"), home / "log", settings)
    api = PrefectApi(f"http://127.0.0.1:{port}/api", home)
    server.wait_until_up(running, f"{api.url}/health", home / "log")
    tiny.environment |= {**api.environment(), "PREFECT_CLIENT_MAX_RETRIES": "1"}
    hold(tiny)
    started = tiny.start()
    in_the_middle(tiny)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    (tiny.root / "go").touch()
    assert started.wait(120) == 1
    assert "The Prefect server stopped answering" in tiny.output()
    assert "Traceback" not in tiny.output()
    assert tiny.call("dvc", "status").stdout == "Data and pipelines are up to date.\n"
    del tiny.environment["PREFECT_API_URL"]
    assert tiny.run().outcomes == dict.fromkeys(STAGES, "nothing to do")


def left_over(tiny: Tiny) -> list[Any]:
    """Programs, other than this one, that still work in the project."""
    return [
        process.info["cmdline"]
        for process in psutil.process_iter(["pid", "cwd", "cmdline", "status"])
        if process.info["cwd"] == str(tiny.root)
        and process.info["pid"] != os.getpid()
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
