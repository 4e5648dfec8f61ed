"""A real MLflow server on loopback, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def plain_environment(**more: str) -> dict[str, str]:
    """That of a process which knows nothing of this repository."""
    kept = ("HOME", "LANG", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PATH": path} | more


class Server:
    """`mlflow server`, or `mlflow models serve`, that can be killed and started again."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, "-m", "mlflow", *arguments, "--port", str(self.port)]
        self.folder, self.environment = folder, environment
        self.start()

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=plain_environment(**self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 600
        while True:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                said = (self.folder / "server.log").read_text()
                assert self.process.poll() is None, said
                assert time.monotonic() < until, said
                time.sleep(0.2)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
