"""Prefect's REST API, read plainly: what a server holds is the truth about what was sent to it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from flows.engine import prefect_server


class PrefectApi:
    """A running server."""

    def __init__(self, url: str, home: Path, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.home = home
        self.process = process

    def environment(self) -> dict[str, str]:
        """What a client of this server has in its environment."""
        return {"PREFECT_API_URL": self.url, "PREFECT_HOME": str(self.home)}

    def ask(self, path: str, body: dict[str, Any] | None = None, tries: int = 5) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            # What a busy SQLite makes of a server; Prefect's own clients ask again, too.
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE or tries == 1:
                raise
        time.sleep(1)
        return self.ask(path, body, tries - 1)

    def flow_run(self, flow_run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(f"flow_runs/{flow_run_id}")
        return found

    def latest(self, flow: str) -> dict[str, Any]:
        """The run that began last; what is scheduled for later nights has not begun."""
        chosen = {
            "flows": {"name": {"any_": [flow]}},
            "flow_runs": {"start_time": {"is_null_": False}},
            "sort": "START_TIME_DESC",
            "limit": 1,
        }
        runs = self.ask("flow_runs/filter", chosen)
        found: dict[str, Any] = runs[0]
        return found

    def tasks(self, flow_run_id: str, states: int = 0) -> dict[str, dict[str, Any]]:
        """The task runs by name. They come in through events: waits for `states` final ones."""
        chosen = {"flow_runs": {"id": {"any_": [flow_run_id]}}}
        for _ in range(3000):
            runs = self.ask("task_runs/filter", chosen)
            if sum(run["state_type"] in ("COMPLETED", "FAILED") for run in runs) >= states:
                break
            time.sleep(0.1)
        return {run["name"]: run for run in runs}

    def logs(self, task_run: dict[str, Any]) -> list[str]:
        chosen = {"logs": {"task_run_id": {"any_": [task_run["id"]]}}, "sort": "TIMESTAMP_ASC"}
        return [line["message"] for line in self.ask("logs/filter", chosen)]

    def artifacts(self, flow_run_id: str) -> dict[str, dict[str, Any]]:
        chosen = {"artifacts": {"flow_run_id": {"any_": [flow_run_id]}}}
        return {found["key"]: found for found in self.ask("artifacts/filter", chosen)}


@contextmanager
def server_on(home: Path) -> Iterator[PrefectApi]:
    """A Prefect server on a free loopback port, with its database and its log in `home`."""
    address = f"http://{prefect_server.LOOPBACK}:{(port := prefect_server.free_port())}/api"
    log = home / "log"
    with pytest.MonkeyPatch.context() as environment:
        # Unset, not empty: Prefect refuses an empty number. They are of whoever runs the tests.
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            environment.delenv(name)
        command = prefect_server.prefect_command(port, "--no-ui")
        settings = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        process = prefect_server.start(command, log, settings)
    try:
        prefect_server.wait_until_up(process, f"{address}/health", log)
        yield PrefectApi(address, home, process)
    finally:
        prefect_server.stop(process)
