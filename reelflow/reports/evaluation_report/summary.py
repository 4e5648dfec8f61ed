"""What stands under the headline of the evaluation report: the figures behind it.

The headline itself is the verdict's, see `reelflow.evaluation.verdict`.
"""

from __future__ import annotations

from reelflow.base.words import count, interval, percent
from reelflow.reports.evaluation_report.content import Evaluation


def summary(evaluation: Evaluation) -> list[str]:
    """The figures behind the headline, a sentence each."""
    scores = evaluation.scores
    right = round(scores["accuracy"] * scores["videos"])
    ends = f" ({evaluation.confidence:.0%} interval {interval(scores, 'accuracy')})"
    sentences = [
        f"On {count(scores['videos'], 'test video')}{_from_groups(evaluation)}, which took no "
        f"part in training, the model names the right class for {right}: an accuracy of "
        f"{percent(scores['accuracy'])}{'' if scores['accuracy_low'] is None else ends}.",
        f"Always answering “{evaluation.baseline}”, no class of the training videos being more "
        f"common, would be right for {percent(scores['baseline_accuracy'])}.",
    ]
    weakest, figures = next(iter(evaluation.tested().items()))
    if len(evaluation.tested()) > 1:
        found = round(figures["recall"] * figures["support"])
        sentences.append(
            f"Its weakest class is “{weakest}”: it finds {found} of {figures['support']}."
            if figures["recall"] < 1
            else "It finds every test video of every class."
        )
    return sentences


def _from_groups(evaluation: Evaluation) -> str:
    known = evaluation.splits["test"]["known_group"]
    if known.isna().all():
        return ""
    return f" from {count(known.nunique(), 'known group' if known.isna().any() else 'group')}"
