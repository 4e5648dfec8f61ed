"""Fixtures for the flows: a tiny project, and one real Prefect server for all that need one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.engine import prefect_server
from tests.flows.prefect_api import PrefectApi
from tests.flows.tiny import Tiny


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    (tmp_path / "project").mkdir()
    made = Tiny(tmp_path / "project")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectApi]:
    """A server on a free loopback port with a home of its own."""
    home = tmp_path_factory.mktemp("prefect")
    port = prefect_server.free_port()
    settings = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    with pytest.MonkeyPatch.context() as environment:
        # Unset, not empty: Prefect refuses an empty number. They are of whoever runs the tests.
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            environment.delenv(name)
        running = prefect_server.start(
            prefect_server.prefect_command(port, "--no-ui"), home / "log", settings
        )
    try:
        api = PrefectApi(f"http://{prefect_server.LOOPBACK}:{port}/api", home)
        prefect_server.wait_until_up(running, f"{api.url}/health", home / "log")
        yield api
    finally:
        prefect_server.stop(running)


@pytest.fixture
def served(tiny: Tiny, prefect_api: PrefectApi) -> Tiny:
    """A tiny project whose runs report to the session's server."""
    tiny.environment |= prefect_api.environment()
    return tiny
