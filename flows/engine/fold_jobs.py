"""The jobs of a cross-validation, as the project is now: which folds, with which settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from reelflow.base.errors import DataError, ParamsError
from reelflow.base.files import digest_of
from reelflow.crossval.finished_folds import Job
from reelflow.crossval.folds import Fold
from reelflow.networks import NETWORKS, reads
from reelflow.params.train import TrainParams
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore
from tasks.common.dvc_outputs import GRAPH
from tasks.common.paths import EMBEDDINGS, FRAMES

# What a fold depends on beside the code of the stage `train`.
_MORE_CODE = ("requirements.lock", "tasks/fold.py", "reelflow/crossval", "reelflow/dataset")


def jobs_of(folds: Sequence[Fold], videos: pd.DataFrame, params: TrainParams) -> list[Job]:
    """A job a fold. `videos` has the columns `hash`, `label` and `group`.

    Raises:
        DataError: the stores are missing, or the network reads embeddings and there are none.
    """
    if reads(params.network) != "frames" and not EmbeddingStore(EMBEDDINGS).hashes:
        raise DataError(
            f"{params.network} reads embeddings, and {EMBEDDINGS} is empty, since train.network in "
            "params.yaml reads frames. Set it to auto or transfer."
        )
    pairs = zip(videos["label"], videos["group"].fillna(""), strict=True)
    facts = dict(zip(videos["hash"], pairs, strict=True))
    told, in_use = params.model_dump(mode="json"), params.in_use()
    made_by = made_by_of(params.network)
    return [Job(fold, told, in_use, made_by, facts) for fold in folds]


def made_by_of(network: str) -> str:
    """A hash of the present code and of the stores that the network reads.

    Raises:
        DataError: there are no such stores.
    """
    embeddings = EmbeddingStore(EMBEDDINGS).spec if reads(network) != "frames" else {}
    told = json.dumps([_code(), FrameStore(FRAMES).id, embeddings.get("id", "")])
    return hashlib.sha256(told.encode()).hexdigest()


def with_network(params: TrainParams, network: str) -> TrainParams:
    """The section `train` with another network. Raises `ParamsError` if there is none such."""
    if network not in NETWORKS:
        raise ParamsError(f"There is no network {network!r}: there are {', '.join(NETWORKS)}.")
    return TrainParams.model_validate({**params.model_dump(), "network": network})


def _code() -> str:
    """A hash over what `train` depends on in dvc.yaml that is code, and what a fold adds to it."""
    graph: dict[str, Any] = yaml.safe_load(GRAPH.read_text(encoding="utf-8"))
    deps = {
        dep for dep in graph["stages"]["train"]["deps"] if dep.startswith(("reelflow", "tasks"))
    }
    files: set[Path] = set()
    for dep in map(Path, {*deps, *_MORE_CODE}):
        found = dep.rglob("*") if dep.is_dir() else [dep]
        files |= {path for path in found if path.is_file() and "__pycache__" not in path.parts}
    told = "".join(f"{path.as_posix()} {digest_of(path)}\n" for path in sorted(files))
    return hashlib.sha256(told.encode()).hexdigest()
