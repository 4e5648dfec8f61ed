"""The model card, in Markdown: what a model is, what for, how good, and what to beware of.

The headings are those of Mitchell and others, "Model Cards for Model Reporting", FAT* 2019, as far
as the pipeline knows what stands below them. The facts are those of the evaluation report.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reelflow.base.words import as_markdown, count, interval, percent
from reelflow.evaluation.verdict import in_words

# Figures that are no shares, and stand without a percent sign.
_PLAIN = {"kappa": "Cohen's kappa", "brier": "Brier score"}


def render(
    name: str,
    card: Mapping[str, Any],
    scores: Mapping[str, Any],
    data: Mapping[str, Any],
    splits: Mapping[str, pd.DataFrame],
    usage: str,
) -> str:
    """The card as Markdown; the same values give the same text.

    Args:
        name: of the model.
        card: what `train` keeps with the model: network, labels, clip, params, hashes.
        scores: what the evaluation reports, with its verdict and cautions.
        data: what the validation reports: `headline` and `cautions`.
        splits: by name, a row a video with `label` and `group`.
        usage: a piece of Python that asks the model.
    """
    from jinja2 import Environment

    # A label may be anybody's text: all is escaped but what is marked as safe.
    environment = Environment(  # noqa: S701 (this is no HTML)
        trim_blocks=True,
        finalize=lambda value: value if hasattr(value, "__html__") else as_markdown(str(value)),
    )
    template = Path(__file__).with_name("model_card.md.jinja").read_text(encoding="utf-8")
    text = environment.from_string(template).render(
        name=name, card=card, scores=scores, data=data, splits=splits, usage=usage,
        figures=dict.fromkeys([*scores["compared"], *(n for n in scores if f"{n}_low" in scores)]),
        plain=_PLAIN, count=count, in_words=in_words, interval=interval, percent=percent,
    )  # fmt: skip
    return text.rstrip("\n") + "\n"
