"""The top folder of a project and the commands that a person runs in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from reelflow.base.telemetry import SWITCHES

# Of whoever runs the tests. The switches too: a person has not set them either.
_SETTINGS = ("PREFECT_", "MLFLOW_", *SWITCHES)


class Folder:
    """Commands run here with this Python's programs, off the settings of whoever runs the tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(_SETTINGS)},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(root.parent),
        }

    def call(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; with `check`, fail the test with its output if it fails."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
        return done

    def start(self, *command: str, to: str = "output") -> subprocess.Popen[str]:
        """Start a command in a session of its own; what it prints goes to the file `to`."""
        with (self.root / to).open("w") as output:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                # A test runner in the background ignores Ctrl-C, and its children would too.
                preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 (it touches nothing but a signal)
            )

    def output(self, to: str = "output") -> str:
        return (self.root / to).read_text()


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
