"""A project of fast stages with the real flows: what the tests of `flows/` run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.folder import Folder
from tests.processes import wait_until

STAGES: dict[str, Any] = {
    "one": {
        "cmd": "echo reading; cat $(find data/raw -type f | sort) > one.txt",
        "deps": ["data/raw"],
        "outs": ["one.txt"],
    },
    "left": {
        "cmd": "cp one.txt left.txt",
        "deps": ["one.txt"],
        "params": ["train.epochs"],
        "outs": ["left.txt", "metrics/left.json"],
    },
    "right": {"cmd": "cp one.txt right.txt", "deps": ["one.txt"], "outs": ["right.txt"]},
    "join": {
        "cmd": "cat left.txt right.txt > join.txt",
        "deps": ["left.txt", "right.txt"],
        "outs": ["join.txt"],
    },
}
STAGES["left"]["cmd"] += """; mkdir -p metrics; echo '{"a": {"b": 0.5}}' > metrics/left.json"""

# A run as the command line makes it; its outcome as the last line.
RUN = """
import dataclasses, json, logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
from flows.engine.run_pipeline import leave, run_pipeline
from reelflow.base.errors import ReelflowError
try:
    result = run_pipeline(echo=lambda line: print(line, flush=True))
except ReelflowError as error:
    sys.exit(f"error: {error}")
print(json.dumps(dataclasses.asdict(result)))
leave(result)
"""


class Tiny(Folder):
    """The top folder of a tiny project."""

    def __init__(self, root: Path, stages: dict[str, Any] = STAGES) -> None:
        super().__init__(root)
        self.environment["PYTHONPATH"] = str(ROOT)
        (root / "data/raw/x").mkdir(parents=True)
        (root / "data/raw/x/a.mp4").write_text("a\n")
        (root / "params.yaml").write_text("# knobs\ntrain:\n  epochs: 3 # passes\n")
        (root / "prefect.yaml").write_bytes((ROOT / "prefect.yaml").read_bytes())
        (root / ".gitignore").write_text(".reelflow/\n")
        (root / ".dvcignore").write_bytes((ROOT / ".dvcignore").read_bytes())
        (root / ".dvc").mkdir()
        (root / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
        self.stages(stages)
        self.call("git", "init", "-q")
        self.call("dvc", "add", "-q", "data/raw")

    def stages(self, stages: dict[str, Any]) -> None:
        text = yaml.safe_dump({"stages": stages}, sort_keys=False)
        (self.root / "dvc.yaml").write_text(text)

    def stage(self, name: str, cmd: str) -> None:
        """Give one stage another command."""
        body = yaml.safe_load((self.root / "dvc.yaml").read_text())["stages"]
        self.stages({**body, name: {**body[name], "cmd": cmd}})

    def hold(self) -> None:
        """Make the stage `join` wait in its middle until the file `go` is there."""
        wait = "for i in $(seq 9000); do test -e go && break; sleep 0.1; done"
        self.stage("join", f"touch began; {wait}; {STAGES['join']['cmd']}")

    def in_the_middle(self) -> None:
        """Wait until the stage that is held has begun."""
        wait_until((self.root / "began").exists)

    def run(self) -> Done:
        return Done(self.call(sys.executable, "-c", RUN, check=False))

    def start(self, *command: str, to: str = "output") -> subprocess.Popen[str]:
        """Start a run, or `command`."""
        return super().start(*(command or (sys.executable, "-c", RUN)), to=to)

    def last(self) -> dict[str, Any]:
        """The result that a started run printed at its end."""
        found: dict[str, Any] = json.loads(self.output().strip().splitlines()[-1])
        return found

    def read(self, path: str) -> str:
        return (self.root / path).read_text()


class Done:
    """What a run came to."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.text = done.stdout
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
        self.result: dict[str, Any] = json.loads(last) if last.startswith("{") else {}

    @property
    def outcomes(self) -> dict[str, str]:
        return {each["stage"]: each["outcome"] for each in self.result["stages"]}
