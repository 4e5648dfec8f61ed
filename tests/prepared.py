"""A project whose videos are prepared already, for what trains on them: frames without videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from reelflow.store.embedding_store import write_embeddings
from tests.conftest import ROOT
from tests.dataset import grid, manifest_of, write_dataset
from tests.folder import Folder

# The end of the graph of dvc.yaml: the stages before it are done, as it were.
STAGES: dict[str, Any] = {
    "preprocess": {
        "cmd": "python -m tasks.preprocess",
        "deps": ["data/manifest.parquet", "data/frames"],
        "outs": ["data/prepared", "metrics/preprocess.json"],
    },
    "train": {
        "cmd": "python -m tasks.train",
        "deps": ["data/prepared", "data/embeddings", "tasks/train.py", "reelflow/training"],
        "outs": ["models"],
    },
}
LABELS = ("bend", "wave")


class Prepared(Folder):
    """Two classes in six groups, frames of noise: nothing to learn, and quickly learned."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for name in ("reelflow", "tasks", "requirements.lock"):
            (root / name).symlink_to(ROOT / name)
        manifest = manifest_of(grid(LABELS, groups=6, videos=2))
        write_dataset(root, manifest)
        (root / "metrics").mkdir()
        for path in manifest["path"]:
            (root / "data/raw" / path).parent.mkdir(parents=True, exist_ok=True)
            (root / "data/raw" / path).write_text(path)
        (root / ".dvc").mkdir()
        (root / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
        (root / ".dvcignore").write_bytes((ROOT / ".dvcignore").read_bytes())
        (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False))
        (root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        self.set("train", network="cnn", epochs=1, min_steps=1)
        self.set("evaluate", bootstrap=100)
        write_embeddings(root / "data/embeddings", {}, [], [])
        self.call("git", "init", "-q")

    def embed(self, *blocks: str) -> None:
        """Give every video an embedding of noise."""
        hashes = sorted(pd.read_parquet(self.root / "data/manifest.parquet")["hash"])
        noise = np.random.default_rng(0).random((len(hashes), len(blocks), 4), np.float32)
        records = [dict(zip(blocks, one, strict=True)) for one in noise]
        write_embeddings(self.root / "data/embeddings", {"id": "noise"}, hashes, records)

    def set(self, section: str, **values: Any) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        params[section].update(values)
        path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")

    @property
    def kept_in(self) -> Path:
        """Where outcomes of folds are kept."""
        return self.root / ".reelflow/crossval"

    def kept(self) -> set[str]:
        """Names of the files of folds that are done."""
        return {path.name for path in self.kept_in.glob("[!.]*.json")}  # not those of a kill
