"""The flow `train`: with no server, against one, and when something goes wrong in the middle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.engine import prefect_server
from flows.engine.stage_outcomes import PipelineResult, StageOutcome
from tests.flows.prefect_api import PrefectApi, server_on
from tests.flows.tiny import STAGES, Tiny

REGISTER = {
    "cmd": "date +%N > registered; mkdir -p metrics; cp stamp.json metrics/register.json",
    "deps": ["join.txt"],
    "outs": ["metrics/register.json"],
}
STAMP = {"name": "tiny", "model_hash": "m" * 64, "data_hash": "d" * 64}


def test_a_result_has_the_exit_status_that_a_shell_expects() -> None:
    ran = [StageOutcome("one", "ran"), StageOutcome("two", "nothing to do")]
    assert PipelineResult(ran).exit_code == 0
    assert not PipelineResult(ran).nothing_to_do
    assert PipelineResult(ran[1:]).nothing_to_do
    assert PipelineResult(ran, error="x").exit_code == 1
    assert PipelineResult(ran, error="x", interrupted=True).exit_code == 130


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ("train:\n  epoch: 3\n", "Did you mean `train.epochs`?"),
        ("register:\n  metric: acuracy\n", "`register.metric` is 'acuracy'; allowed is accuracy, "),
    ],
)
def test_wrong_params_stop_everything_before_any_stage_and_any_server(
    tiny: Tiny, params: str, said: str
) -> None:
    (tiny.root / "params.yaml").write_text(params)
    done = tiny.run()
    assert done.code == 1
    assert said in done.text
    assert not (tiny.root / "one.txt").exists()
    assert not (tiny.root / ".reelflow/prefect").exists()


def test_a_server_that_does_not_answer_is_a_sentence(tiny: Tiny) -> None:
    nobody = f"http://127.0.0.1:{prefect_server.free_port()}/api"
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
    assert_seen(tiny.root / ".reelflow/prefect")


def assert_seen(home: Path) -> None:
    """A server on the home of a run without one shows that run, whole."""
    with server_on(home) as api:
        run = api.latest("train")
        assert run["state_name"] == "Completed"
        assert set(api.tasks(run["id"], 4)) == set(STAGES)


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
        meet = f"for i in $(seq 9000); do test -e met-{other} && break; sleep 0.1; done"
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
