"""The Prefect server of a run: the one that an address names, ours that is up, or a temporary one.

Without `PREFECT_API_URL` Prefect would start a temporary server itself, as the last thing and in
the terminal's process group, where Ctrl-C kills it before the last states are written. Ours is the
same server, started first, so that it starts while Prefect is imported. Its database lies in
`.reelflow/prefect` or in `PREFECT_HOME`; `make ui` shows the same runs. Nothing here imports
Prefect, which reads its settings once, on import.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from flows.engine.stage_process import environment, stop_group
from reelflow.base.errors import ReelflowError, ended_with
from tasks.common.paths import STATE

LOOPBACK = "127.0.0.1"
ADDRESS = STATE / "ui.json"  # written by `make ui` while its server is up
LOG = STATE / "prefect-server.log"
START_S = 300.0  # a cold disk and a busy machine: 28 s were seen with two slow cores in use
_ANSWER = httpx.Timeout(30.0, connect=5.0)  # seconds: a busy server is slow and not lost

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


# The last line of a traceback: `sqlite3.DatabaseError: file is not a database`.
_ERROR = re.compile(r"\s*[\w.]+(Error|Exception): ")


class ServerError(ReelflowError):
    """The Prefect server does not start, or stopped answering."""


def settle_home() -> None:
    """Set where Prefect keeps its database. Call it before Prefect is imported."""
    if not os.environ.get("PREFECT_API_URL"):
        home = os.environ.setdefault("PREFECT_HOME", str((STATE / "prefect").absolute()))
        Path(home).mkdir(parents=True, exist_ok=True)


@contextmanager
def for_a_run() -> Iterator[Callable[[], None]]:
    """A server for the run at hand; a temporary one is started here and stopped at the end.

    Yields:
        a function that returns when the server answers, or raises `ServerError`. Call it before
        the first flow, but after the import of Prefect, which takes two seconds.
    """
    settle_home()
    if os.environ.get("PREFECT_API_URL"):
        yield _expect_given
        return
    url = already_up()
    server = None if url else start(prefect_command(port := free_port(), "--no-ui"), LOG)
    os.environ["PREFECT_API_URL"] = url or f"http://{LOOPBACK}:{port}/api"
    try:
        yield lambda: wait_until_up(server, health_of_api(), LOG) if server else None
    finally:
        del os.environ["PREFECT_API_URL"]
        if server:
            stop(server)


def health_of_api() -> str:
    """The address at which the server of `PREFECT_API_URL` answers if it is well."""
    return f"{os.environ['PREFECT_API_URL'].rstrip('/')}/health"


def _expect_given() -> None:
    if not answers(health_of_api()):
        raise ServerError(
            f"The Prefect server that PREFECT_API_URL names ({os.environ['PREFECT_API_URL']}) does "
            "not answer. Start it, or unset PREFECT_API_URL to run without it."
        )


def already_up() -> str | None:
    """The address of the server that `make ui` runs here on the same database, if it answers."""
    try:
        noted = json.loads(ADDRESS.read_text(encoding="utf-8"))
        url, same = str(noted["prefect"]), noted["home"] == os.environ["PREFECT_HOME"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return f"{url}/api" if same and answers(f"{url}/api/health") else None


def start(
    command: list[str], log: Path, extra: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, its output in `log`; it ends when this process does.

    Call it from the main thread: Linux ties the server to the thread that starts it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**environment(), **(extra or {})},
            start_new_session=True,
            preexec_fn=_end_with_parent if _LIBC else None,  # noqa: PLW1509 (one system call)
        )


def _end_with_parent() -> None:
    """Ask Linux for a SIGTERM when the parent dies, by `kill -9` too."""
    assert _LIBC
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_up(server: subprocess.Popen[bytes], health: str, log: Path) -> None:
    """Return when `health` answers; raise `ServerError` with the log's end if it never does."""
    deadline = time.monotonic() + START_S
    while not answers(health):
        status = server.poll()
        if status is not None or time.monotonic() > deadline:
            stop(server)
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            errors = [line.strip() for line in lines if _ERROR.match(line)] or lines
            late = f"did not start within {START_S:.0f} seconds"
            how = late if status is None else ended_with(status)
            raise ServerError(
                f"The server at {health} {how}. Its last words: "
                f"{errors[-1] if errors else 'none'}. The whole log: {log}."
            )
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a server answers `url` with success; a busy one has half a minute for it."""
    try:
        # No proxy of the environment stands between two programs of one machine.
        return httpx.get(url, timeout=_ANSWER, trust_env=False, follow_redirects=True).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it started."""
    stop_group(server, 5.0, (signal.SIGTERM, signal.SIGKILL))


def free_port(preferred: int = 0) -> int:
    """A loopback port that nobody listens on: `preferred` if it is free."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            # Servers set this too: a port whose last connections linger counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return int(probe.getsockname()[1])
    raise ServerError("No free port on 127.0.0.1: too many programs listen there.")


def prefect_command(port: int, *options: str) -> list[str]:
    """The command that starts a Prefect server on loopback."""
    where = ["--host", LOOPBACK, "--port", str(port)]
    return [sys.executable, "-m", "prefect", "server", "start", *where, *options]
