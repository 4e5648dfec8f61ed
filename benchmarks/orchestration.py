"""What a run costs beside the work of its stages: `python benchmarks/orchestration.py`.

Seven stages in a row that do nothing, in a folder of their own: the whole run is orchestration
(reading the graph, Prefect and its temporary server, seven `dvc repro --single-item`). Printed:
the seconds of a first run (Prefect's database is made), of one in which every stage runs again,
and of one with nothing to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUN = (
    "from flows.engine.run_pipeline import leave, run_pipeline; "
    "leave(run_pipeline(echo=lambda line: None))"
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        (top / ".dvc").mkdir()
        (top / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
        (top / "params.yaml").write_text("")
        subprocess.run(["git", "init", "-q"], cwd=top, check=True)
        for text, title in (("1", "first run"), ("2", "every stage again"), ("2", "nothing to do")):
            write_stages(top, text)
            print(f"{title:18} {seconds(top):5.1f} s")


def write_stages(top: Path, text: str) -> None:
    stages = {
        f"stage{number}": {
            "cmd": f"echo {text} > {number}.txt",
            "deps": [f"{number - 1}.txt"] if number else [],
            "outs": [f"{number}.txt"],
        }
        for number in range(7)
    }
    (top / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))


def seconds(top: Path) -> float:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", RUN], cwd=top, check=True, env={**clean, "PYTHONPATH": str(ROOT)}
    )
    return time.monotonic() - began


if __name__ == "__main__":
    main()
