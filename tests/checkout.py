"""A checkout of this project in a folder of its own, with a tiny data set, for end-to-end tests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from reelflow.sample import write_sample
from tests.conftest import ROOT
from tests.flows.prefect_api import PrefectApi
from tests.folder import Folder

# What a clone would hold; copied from the working tree, so that what is tested is what is there.
PARTS = (
    ".dvc/config", ".dvc/.gitignore", ".dvc/plots", ".dvcignore", ".gitignore", "cli",
    "data/.gitignore", "dvc.yaml", "flows", "metrics/.gitignore", "params.yaml", "prefect.yaml",
    "pyproject.toml", "reelflow", "reports/.gitignore", "requirements.lock", "tasks",
)  # fmt: skip

# Small enough that every stage takes a second or two beside its imports.
TINY: dict[str, dict[str, Any]] = {
    "extract": {"frames": 8, "height": 32, "width": 32},
    "train": {"epochs": 2, "network": "cnn"},
    "evaluate": {"bootstrap": 100},
    "register": {"min_metric": 0.0, "rule": "minimum"},
}


class Checkout(Folder):
    """A project with its real stages."""

    def dvc(self, *arguments: str) -> str:
        return self.call("dvc", *arguments).stdout

    def set_params(self, **sections: dict[str, Any]) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, values in sections.items():
            params[name].update(values)
        path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")

    def lock(self) -> dict[str, Any]:
        """What `dvc.lock` says of each stage."""
        text = (self.root / "dvc.lock").read_text(encoding="utf-8")
        stages: dict[str, Any] = yaml.safe_load(text)["stages"]
        return stages

    def hashes(self) -> dict[str, str]:
        """The hash of each output of each stage, by path."""
        return {out["path"]: out["md5"] for stage in self.lock().values() for out in stage["outs"]}

    def copy(self, root: Path, server: PrefectApi | None = None) -> Checkout:
        shutil.copytree(self.root, root, symlinks=True)
        return Checkout(root).served(server)

    def served(self, server: PrefectApi | None) -> Checkout:
        """Let runs report to a server that is up; each would start one of its own."""
        if server:
            self.environment |= server.environment()
        return self


def make_project(root: Path) -> Checkout:
    """A project as a clone of this one would be, without videos."""
    root.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, root / part)
    checkout = Checkout(root)
    checkout.call("git", "init", "-q")
    return checkout


def make_checkout(root: Path, clips_per_class: int = 8) -> Checkout:
    """A project with tiny params and sample videos in `data/raw`, nothing run yet."""
    checkout = make_project(root)
    checkout.set_params(**TINY)
    write_sample(root / "data" / "raw", clips_per_class=clips_per_class, groups=8)
    return checkout
