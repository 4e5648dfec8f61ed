"""The model card, in Markdown: what a model is, what for, how good, and what to beware of.

The headings are those of Mitchell and others, "Model Cards for Model Reporting", FAT* 2019, as far
as the pipeline knows what stands below them. The facts are those of the evaluation report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    parts = (
        [f"# {as_markdown(name)}", ""],
        _verdict(scores),
        _model(card),
        _use(card, usage),
        _data(data, splits, card["labels"]),
        _figures(scores),
        _classes(scores),
        _cautions([*scores["cautions"], *data["cautions"]]),
        _provenance(card),
    )
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"


def _verdict(scores: Mapping[str, Any]) -> Iterator[str]:
    verdict = scores["verdict"]
    yield f"**{as_markdown(verdict['headline'])}**"
    yield ""
    yield as_markdown(verdict["sentence"])
    yield ""


def _model(card: Mapping[str, Any]) -> Iterator[str]:
    clip = card["clip"]
    yield from ("## The model", "")
    yield f"- A classifier of short videos into {count(len(card['labels']), 'class', 'classes')}."
    yield f"- Network: `{card['network']}`"
    if "embedding" in card:
        yield "- It reads features from pretrained networks, which were kept as they were."
    else:
        yield (
            f"- It reads {clip['frames']} frames of {clip['width']} × {clip['height']} pixels, "
            f"chosen by `{clip['sampler']}`; sound is not used."
        )
    if "temperature" in card:
        yield f"- Confidences are calibrated with the temperature {card['temperature']:.3g}."
    yield ""


def _use(card: Mapping[str, Any], usage: str) -> Iterator[str]:
    yield from ("## Intended use", "")
    yield (
        "For videos of the same kind as those that it learned from. Of any other it also names one "
        "of its classes. It was measured on groups (scenes, people, cameras) that it had not seen, "
        "as far as the groups of the data were known."
    )
    yield from ("", "```python", usage, "```", "")


def _data(
    data: Mapping[str, Any], splits: Mapping[str, pd.DataFrame], labels: Iterable[str]
) -> Iterator[str]:
    yield from ("## Data", "", as_markdown(data["headline"]) + ".", "")
    yield "| class | " + " | ".join(splits) + " |"
    yield "|---|" + "---|" * len(splits)
    for label in labels:
        cells = [f"{(table['label'] == label).sum():,}" for table in splits.values()]
        yield f"| {as_markdown(label)} | {' | '.join(cells)} |"
    cells = [f"{len(table):,} of {_groups(table)}" for table in splits.values()]
    yield f"| all | {' | '.join(cells)} |"
    yield ""


def _groups(videos: pd.DataFrame) -> str:
    known = videos["group"].nunique() + int(videos["group"].isna().sum())
    return count(known, "group")


def _figures(scores: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## How good it is", "")
    yield (
        f"On {count(scores['videos'], 'test video')} of {count(scores['groups'], 'group')} that "
        f"nothing had seen; {scores['interval_confidence']:.0%} intervals over groups; beside it "
        "what the best constant answer reaches."
    )
    yield from ("", "| figure | value | interval | constant answer |", "|---|---|---|---|")
    names = [*scores["compared"], *(n for n in scores if f"{n}_low" in scores)]
    for name in dict.fromkeys(names):
        if scores.get(name) is None:
            continue
        value, low, high, baseline = (
            _number(scores.get(key), name)
            for key in (name, f"{name}_low", f"{name}_high", f"baseline_{name}")
        )
        yield f"| {_PLAIN.get(name) or in_words(name)} | {value} | {low} to {high} | {baseline} |"
    yield ""


def _number(value: float | None, name: str) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if name in _PLAIN else percent(value)


def _classes(scores: Mapping[str, Any]) -> Iterator[str]:
    yield "| class | test videos | recall | interval | precision | interval |"
    yield "|---|---|---|---|---|---|"
    for label, of in scores["per_class"].items():
        cells = [f"{of['support']:,}"]
        for name in ("recall", "precision"):
            cells += [percent(of[name]), interval(of, name)]
        yield f"| {as_markdown(label)} | {' | '.join(cells)} |"
    yield ""


def _cautions(cautions: Iterable[str]) -> Iterator[str]:
    yield from ("## What to beware of", "")
    found = [f"- {as_markdown(text)}" for text in cautions]
    yield from found or ["The checks of data and test found nothing."]
    yield ""


def _provenance(card: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Where it comes from", "")
    yield f"- data and splits: `{card['data_hash']}`"
    yield f"- weights: `{card['weights_hash']}`"
    settings = ", ".join(f"{key} {value}" for key, value in sorted(card["params"].items()))
    yield f"- settings of the training: {as_markdown(settings)}"
