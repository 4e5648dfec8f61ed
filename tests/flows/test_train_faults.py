"""The flow `train` where something goes wrong: kills, lost servers, unknown errors, two runs."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import psutil
import pytest

from tests.flows.prefect_api import PrefectApi, server_on
from tests.flows.tiny import RUN, STAGES, Done, Tiny
from tests.processes import wait_until

pytestmark = pytest.mark.integration


def test_a_server_that_dies_at_once_is_said_to_with_its_own_error(tiny: Tiny) -> None:
    database = tiny.root / ".reelflow/prefect/prefect.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"garbage" * 1000)
    done = tiny.run()
    assert done.code == 1
    assert "ended by itself with status" in done.text
    assert "file is not a database" in done.text
    assert "did not start within" not in done.text
    assert "Traceback" not in done.text
    assert not (tiny.root / "one.txt").exists()


def test_an_error_in_what_the_flow_does_around_a_stage_is_a_sentence_with_its_traceback(
    served: Tiny, prefect_api: PrefectApi
) -> None:
    served.stage("left", "cp one.txt left.txt; mkdir -p metrics; echo '{' > metrics/left.json")
    done = served.run()
    log = served.root / ".reelflow/errors.log"
    assert done.code == 1
    assert done.outcomes == {"one": "ran", "left": "failed", "right": "ran", "join": "not run"}
    assert "did not expect this error: json.decoder.JSONDecodeError" in done.result["error"]
    assert str(log) in done.result["error"]
    assert "Traceback" in log.read_text()
    assert "Traceback" not in done.text
    assert prefect_api.latest("train")["state"]["message"] == done.result["error"]


def test_a_kill_after_the_last_stage_stops_nothing_that_was_not_done(served: Tiny) -> None:
    late = "import os, signal; from flows.engine import run_pipeline as run\n"
    late += "send = run._send_the_rest\n"
    late += "run._send_the_rest = lambda: (send(), os.kill(os.getpid(), signal.SIGTERM))\n"
    done = Done(served.call(sys.executable, "-c", late + RUN, check=False))
    assert done.outcomes == dict.fromkeys(STAGES, "ran"), done.text
    assert (done.code, done.result["error"]) == (0, "")


@pytest.mark.parametrize(
    ("sign", "state"), [(signal.SIGINT, "Cancelled"), (signal.SIGTERM, "Crashed")]
)
def test_ctrl_c_and_kill_stop_the_stage_and_end_with_a_sentence(
    served: Tiny, prefect_api: PrefectApi, sign: signal.Signals, state: str
) -> None:
    served.hold()
    started = served.start()
    served.in_the_middle()
    started.send_signal(sign)
    assert started.wait(600) == 130
    assert "run the same command again to go on" in served.output()
    assert "Traceback" not in served.output()
    assert left_over(served) == []
    assert prefect_api.latest("train")["state_name"] == state
    (served.root / "go").touch()
    assert served.run().outcomes["join"] == "ran"


def test_after_kill_9_in_the_middle_the_same_command_ends_as_if_nothing_had_happened(
    served: Tiny,
) -> None:
    served.hold()
    started = served.start()
    served.in_the_middle()
    started.kill()
    started.wait()
    (served.root / "began").unlink()
    again = served.start()
    served.in_the_middle()  # a second time: what the first had left at work was ended
    (served.root / "go").touch()
    assert again.wait(600) == 0, served.output()
    outcomes = {each["stage"]: each["outcome"] for each in served.last()["stages"]}
    assert outcomes == {**dict.fromkeys(STAGES, "nothing to do"), "join": "ran"}
    assert left_over(served) == []
    assert served.call("dvc", "status").stdout == "Data and pipelines are up to date.\n"


def test_of_two_runs_the_second_says_who_is_at_work_and_harms_nothing(served: Tiny) -> None:
    served.hold()
    first = served.start()
    served.in_the_middle()
    second = served.run()
    assert second.code == 1
    assert f"process {first.pid}" in second.text
    (served.root / "go").touch()
    assert first.wait(600) == 0, served.output()
    assert served.run().result["error"] == ""


def test_a_flow_of_a_deployment_waits_for_another_run_and_then_goes_on(served: Tiny) -> None:
    served.hold()
    first = served.start()
    served.in_the_middle()
    flow = "from flows.train import train; print(train(wait_s={}, return_state=True).message)"
    late = served.call(sys.executable, "-c", flow.format(1))
    assert "Another run of the pipeline is at work" in late.stdout
    (served.root / "go").touch()
    patient = served.call(sys.executable, "-c", flow.format(600))
    assert "Nothing changed: nothing to do." in patient.stdout
    assert first.wait(600) == 0


def test_a_dvc_command_of_a_person_delays_a_flow_and_does_not_fail_it(served: Tiny) -> None:
    held = "from dvc.repo import Repo; import time; Repo().lock.lock(); open('held', 'w').close()"
    holder = served.start(sys.executable, "-c", f"{held}; time.sleep(12)")
    wait_until((served.root / "held").exists)
    flow = "from flows.train import train; print(train(wait_s=600, return_state=True).message)"
    assert "Done: one, left, right, join." in served.call(sys.executable, "-c", flow).stdout
    assert holder.wait(600) == 0


def test_a_server_lost_in_the_middle_costs_a_sentence_and_nothing_computed(tiny: Tiny) -> None:
    with server_on(tiny.root / "home") as api:
        tiny.environment |= {**api.environment(), "PREFECT_CLIENT_MAX_RETRIES": "1"}
        tiny.hold()
        started = tiny.start()
        tiny.in_the_middle()
        os.killpg(api.process.pid, signal.SIGKILL)
        api.process.wait()
    (tiny.root / "go").touch()
    assert started.wait(600) == 1
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
