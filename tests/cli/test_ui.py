"""`reelflow ui`: both UIs on loopback, on the databases of the runs, stopped with Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from cli.ui import _watch
from flows.engine import prefect_server
from reelflow.base.errors import ReelflowError
from tests.conftest import ROOT
from tests.flows.tiny import STAGES, Tiny
from tests.processes import wait_until
from tests.reports import imported, unguarded, watch

UI = "from cli.ui import ui; ui()"


@pytest.mark.integration
def test_both_uis_answer_take_a_run_in_and_stop_with_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    tiny = Tiny(tmp_path / "project")
    watch(tiny)
    started = tiny.start(sys.executable, "-c", UI)
    try:
        wait_until(lambda: "Ctrl-C" in tiny.output() or started.poll() is not None)
        prefect, mlflow = re.findall(r"http://127\.0\.0\.1:\d+", tiny.output())
        assert prefect_server.answers(f"{prefect}/api/health")
        assert prefect_server.answers(f"{prefect}/runs") or prefect_server.answers(prefect)
        assert prefect_server.answers(mlflow)

        done = tiny.run()  # finds the server that is up, and starts none of its own
        assert done.outcomes == dict.fromkeys(STAGES, "ran"), done.text
        assert not (tiny.root / prefect_server.LOG).exists()
    finally:
        started.send_signal(signal.SIGINT)
        status = started.wait(300)
    assert status == 0
    assert tiny.output().endswith("Stopped.\n")
    assert not prefect_server.answers(f"{prefect}/api/health")
    assert not prefect_server.answers(mlflow)
    assert not (tiny.root / prefect_server.ADDRESS).exists()
    here = [p for p in psutil.process_iter(["cwd", "pid"]) if p.info["cwd"] == str(tiny.root)]
    assert [p.info["pid"] for p in here] == []
    assert {"prefect", "mlflow", "dvc"} <= imported(tiny)
    assert unguarded(tiny) == []


def test_a_server_that_ends_by_itself_is_a_sentence(tmp_path: Path) -> None:
    ended = prefect_server.start([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log")
    ended.wait()
    with pytest.raises(ReelflowError, match=r"MLflow has ended by itself; see .*log"):
        _watch([("MLflow ", ended, tmp_path / "log")])


def test_a_server_that_does_not_come_up_is_a_sentence_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    failing = prefect_server.start([sys.executable, "-c", "raise SystemExit('port taken')"], log)
    with pytest.raises(prefect_server.ServerError, match="port taken"):
        prefect_server.wait_until_up(failing, "http://127.0.0.1:9/health", log)


def test_a_busy_server_that_answers_late_is_not_lost() -> None:
    class Late(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(3)
            self.send_response(200)
            self.end_headers()

    with HTTPServer((prefect_server.LOOPBACK, 0), Late) as busy:
        threading.Thread(target=busy.handle_request).start()
        assert prefect_server.answers(f"http://{prefect_server.LOOPBACK}:{busy.server_port}/health")


def test_a_server_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    serve = [sys.executable, "-c", "import time; time.sleep(60)"]
    text = "from flows.engine import prefect_server; from pathlib import Path; "
    text += f"p = prefect_server.start({serve!r}, Path('log')); print(p.pid, flush=True); "
    text += "import time; time.sleep(60)"
    parent = subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert prefect_server.free_port(port) != port
    assert prefect_server.free_port(port) == port


@pytest.mark.parametrize("garbage", [b'{"pre', b"\xff\x00", b"[1]", b'{"home": "here"}'])
def test_a_spoiled_note_of_a_server_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", "home")
    prefect_server.ADDRESS.parent.mkdir()
    prefect_server.ADDRESS.write_bytes(garbage)
    assert prefect_server.already_up() is None


def test_a_note_of_a_server_that_is_gone_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", "home")
    assert prefect_server.already_up() is None
    prefect_server.ADDRESS.parent.mkdir()
    nobody = f"http://127.0.0.1:{prefect_server.free_port()}"
    prefect_server.ADDRESS.write_text(
        json.dumps({"prefect": nobody, "home": os.environ["PREFECT_HOME"]})
    )
    assert prefect_server.already_up() is None


def test_an_empty_address_of_prefect_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", "")  # as Prefect takes it
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    prefect_server.settle_home()
    assert os.environ["PREFECT_HOME"] == str(tmp_path / ".reelflow/prefect")
