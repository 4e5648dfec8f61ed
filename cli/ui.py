"""`reelflow ui`: the Prefect UI and the MLflow UI on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from flows.engine import prefect_server, stage_process
from reelflow.base.errors import ReelflowError
from reelflow.base.files import write_json
from reelflow.tracking.mlflow_client import address_from_environment, connect
from tasks.common.paths import STATE

PREFECT_PORT, MLFLOW_PORT = 4200, 5000  # where these tools are looked for; others if taken

_PREFECT_LOG = STATE / "ui-prefect.log"
_MLFLOW_LOG = STATE / "ui-mlflow.log"


def ui() -> None:
    """Show the Prefect UI and the MLflow UI on this machine, until Ctrl-C."""
    with stage_process.sigterm_as_ctrl_c(), ExitStack() as stack:
        try:
            # Both at once, each announced when it answers: starting takes them ten seconds.
            started = [_prefect(stack), _mlflow(stack)]
            for tool, address, running, health, log in started:
                if running:
                    prefect_server.wait_until_up(running, health, log)
                print(f"{tool}  {address}", flush=True)
            print("Ctrl-C stops both.", flush=True)
            _watch([(tool, running, log) for tool, _, running, _, log in started if running])
        except KeyboardInterrupt:
            print("\nStopped.")


_Started = tuple[str, str, subprocess.Popen[bytes] | None, str, Path]


def _prefect(stack: ExitStack) -> _Started:
    if given := os.environ.get("PREFECT_API_URL"):
        return "Prefect", given.removesuffix("/").removesuffix("/api"), None, "", _PREFECT_LOG
    prefect_server.settle_home()
    port = prefect_server.free_port(PREFECT_PORT)
    address = f"http://{prefect_server.LOOPBACK}:{port}"
    running = prefect_server.start(prefect_server.prefect_command(port), _PREFECT_LOG)
    stack.callback(prefect_server.stop, running)
    # A run that starts meanwhile reports to this server instead of starting its own.
    stack.callback(prefect_server.ADDRESS.unlink, missing_ok=True)
    write_json(prefect_server.ADDRESS, {"prefect": address, "home": os.environ["PREFECT_HOME"]})
    return "Prefect", address, running, f"{address}/api/health", _PREFECT_LOG


def _mlflow(stack: ExitStack) -> _Started:
    store = address_from_environment()
    if store.startswith(("http://", "https://")):
        return "MLflow ", store, None, "", _MLFLOW_LOG
    connect(store)  # makes the database whole before a server that could be stopped half-way does
    port = prefect_server.free_port(MLFLOW_PORT)
    address = f"http://{prefect_server.LOOPBACK}:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    command += ["--artifacts-destination", "./mlruns", "--workers", "1"]
    command += ["--host", prefect_server.LOOPBACK, "--port", str(port)]
    # Its job workers, seven processes, serve the scoring of language models.
    setting = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    running = prefect_server.start(command, _MLFLOW_LOG, setting)
    stack.callback(prefect_server.stop, running)
    return "MLflow ", address, running, f"{address}/health", _MLFLOW_LOG


def _watch(servers: list[tuple[str, subprocess.Popen[bytes], Path]]) -> None:
    """Wait until a server ends by itself, and raise an error then."""
    while True:
        for tool, running, log in servers:
            if running.poll() is not None:
                raise ReelflowError(f"{tool.strip()} has ended by itself; see {log}.")
        time.sleep(0.5)
