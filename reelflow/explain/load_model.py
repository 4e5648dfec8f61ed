"""A trained model with its card, as something that can be explained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.explain.explainable_model import Subject
from reelflow.explain.on_embeddings import OnEmbeddings
from reelflow.explain.on_frames import OnFrames
from reelflow.store.clip_spec import ClipSpec
from reelflow.training.model_file import load_model
from reelflow.video.process_limits import Bounds


def load_subject(model: Path, card: Mapping[str, Any], bounds: Bounds) -> Subject:
    """Load a model.

    Args:
        model: the `.keras` file.
        card: `labels`, `temperature` if it has one, and `clip` or, of a model that reads
            embeddings, `embedding` and `blocks`.
        bounds: limits of each decoder.

    Raises:
        DataError: the file cannot be read.
    """
    loaded = load_model(model)
    labels, temperature = list(card["labels"]), float(card.get("temperature", 1.0))
    if card.get("blocks"):
        spec = EmbeddingSpec.from_dict(card["embedding"])
        return OnEmbeddings(loaded, labels, card["blocks"], spec, bounds, temperature)
    return OnFrames(loaded, labels, ClipSpec(**card["clip"]), bounds, temperature)
