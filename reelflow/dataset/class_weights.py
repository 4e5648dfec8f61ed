"""What a training clip of each class counts, so that rare classes are not neglected."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def class_weights(labels: pd.Series) -> dict[str, float]:
    """The weight n / (k · n_c) of each of the k classes, as scikit-learn's `balanced`."""
    counts = labels.value_counts().sort_index()
    return {str(label): len(labels) / (len(counts) * int(n)) for label, n in counts.items()}
