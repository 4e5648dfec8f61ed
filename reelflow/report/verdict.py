"""The verdict: what a person must know before trusting the model, in plain sentences.

A warning is a function of an `Evaluation` that returns its sentence, or None where it does not
apply; `WARNINGS` is the list of them, the gravest first. To add one, write it and name it there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reelflow.page.words import count, interval, percent, quoted
from reelflow.report.content import Evaluation

# With fewer groups each of them moves a figure by a tenth and more.
FEW_GROUPS = 10
FEW_VIDEOS = 5
# Differences between two accuracies that a reader should be told of.
# A last epoch lower than this share of the best before the last fifth is no end of learning.
_STILL_FALLING = 0.75
LARGE_GAP = 0.15
LARGE_SHARE_SET_ASIDE = 0.1


def summary(evaluation: Evaluation) -> list[str]:
    """The figures behind the headline, a sentence each."""
    scores = evaluation.scores
    right = round(scores["accuracy"] * scores["videos"])
    sentences = [
        f"On {count(scores['videos'], 'test video')}{_from_groups(evaluation)}, which took no "
        f"part in training, the model names the right class for {right}: an accuracy of "
        f"{percent(scores['accuracy'])}{_with_interval(evaluation)}.",
        f"Always answering “{evaluation.baseline}”, {_how_common(evaluation)} class of the "
        f"training videos, would be right for {percent(scores['baseline_accuracy'])}.",
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


def warnings(evaluation: Evaluation) -> list[str]:
    """The sentences of the warnings that apply, the gravest first."""
    found = (warning(evaluation) for warning in WARNINGS)
    return [sentence for sentence in found if sentence]


def _from_groups(evaluation: Evaluation) -> str:
    groups = evaluation.predictions["group"]
    if groups.isna().all():
        return ""
    return f" from {count(groups.nunique(), 'known group' if groups.isna().any() else 'group')}"


def _how_common(evaluation: Evaluation) -> str:
    videos = evaluation.splits["train"]["label"].value_counts()
    return "the most common" if (videos == videos.max()).sum() == 1 else "as common as any"


def _with_interval(evaluation: Evaluation) -> str:
    if evaluation.scores["accuracy_low"] is None:
        return ""
    return f" ({evaluation.confidence:.0%} interval {interval(evaluation.scores, 'accuracy')})"


def _not_proven(evaluation: Evaluation) -> str | None:
    return None if evaluation.verdict.proven else evaluation.verdict.sentence


def _one_answer_only(evaluation: Evaluation) -> str | None:
    answers = evaluation.predictions["predicted"].unique()
    if len(answers) > 1 or len(evaluation.predictions) < 2:
        return None
    return f"Every test video was called “{answers[0]}”: the model tells nothing apart."


def _no_groups_known(evaluation: Evaluation) -> str | None:
    videos = sum(len(split) for split in evaluation.splits.values())
    alone = sum(int(split["group"].isna().sum()) for split in evaluation.splits.values())
    if not alone:
        return None
    who = "No video has a" if alone == videos else f"{alone:,} of {count(videos, 'video')} have no"
    return (
        f"{who} known group. If several clips come from one source (a person, a scene, a camera), "
        "they may stand on both sides of the split, and every figure here is too good. Name the "
        "groups in a column “group” of videos.csv, or with ingest.group_pattern."
    )


def _shared_groups(evaluation: Evaluation) -> str | None:
    tested = set(evaluation.splits["test"]["group"].dropna())
    learned = set(evaluation.splits["train"]["group"].dropna())
    learned |= set(evaluation.splits["validation"]["group"].dropna())
    if not tested & learned:
        return None
    return (
        f"{count(len(tested & learned), 'group')} of the test also stand in training or "
        "validation, as the split that came with the videos has it: the test is easier than new "
        "groups would be."
    )


def _few_groups(evaluation: Evaluation) -> str | None:
    groups = evaluation.scores["groups"]
    if groups >= FEW_GROUPS:
        return None
    if groups == 1:
        return (
            "All test videos are of one group, so nothing is known about how the model does on "
            "others, and no interval can be given. More groups, or a larger "
            "preprocess.test_share, would tell."
        )
    return (
        f"The test has only {groups} groups: its intervals are rough. With "
        "so few, one unusual group moves every figure."
    )


def _perfect(evaluation: Evaluation) -> str | None:
    scores = evaluation.scores
    if scores["accuracy"] < 1 or scores["groups"] < 2:
        return None
    # The rule of three: no event in n trials is consistent with a rate of up to about 3 in n.
    return (
        "No mistake was made. That is not certainty: even a model that fails "
        f"on {percent(min(1.0, 3 / scores['groups']))} of all groups may show no "
        f"mistake on {scores['groups']}."
    )


def _untested_classes(evaluation: Evaluation) -> str | None:
    tested = evaluation.tested()
    missing = [label for label in evaluation.labels if label not in tested]
    if not missing:
        return None
    return f"Nothing is known about {quoted(missing)}: the test has no video of it."


def _thinly_tested_classes(evaluation: Evaluation) -> str | None:
    thin = sorted(
        label
        for label, figures in evaluation.tested().items()
        if figures["support"] < FEW_VIDEOS or figures["groups"] < 2
    )
    if not thin:
        return None
    return (
        f"The figures of {quoted(thin)} rest on fewer than {FEW_VIDEOS} test videos, or on one "
        "group: read them as anecdotes."
    )


def _unequal_classes(evaluation: Evaluation) -> str | None:
    scores = evaluation.scores
    if scores["accuracy"] - scores["balanced_accuracy"] < LARGE_GAP:
        return None
    return (
        f"The accuracy ({percent(scores['accuracy'])}) is carried by the common classes; averaged "
        f"over classes it is {percent(scores['balanced_accuracy'])}."
    )


def _memorised(evaluation: Evaluation) -> str | None:
    epoch = evaluation.kept_epoch
    if epoch["accuracy"] - epoch["val_accuracy"] < LARGE_GAP:
        return None
    return (
        f"In the epoch that was kept, it was right for {percent(epoch['accuracy'])} of the "
        f"training videos but {percent(epoch['val_accuracy'])} of the validation videos: it has "
        "partly learned its training videos by heart. More videos, and more groups, help most."
    )


def _worse_than_validation(evaluation: Evaluation) -> str | None:
    scores, validation = evaluation.scores, float(evaluation.kept_epoch["val_accuracy"])
    high = scores["accuracy_high"]
    if high is None or validation <= high or validation - scores["accuracy"] < LARGE_GAP:
        return None
    return (
        f"The test accuracy lies well below that on validation ({percent(validation)}), which "
        "chose the epoch: the test videos differ, or the validation videos are too few."
    )


def _first_epoch_best(evaluation: Evaluation) -> str | None:
    if evaluation.kept != evaluation.history["epoch"].iloc[0] or len(evaluation.history) < 2:
        return None
    return (
        "The first epoch was the best: what it learned after that did not carry over to the "
        "validation videos. A smaller train.learning_rate, or more groups, may help."
    )


def _stopped_early(evaluation: Evaluation) -> str | None:
    """The rate falls to nothing, so the last epoch often is the best: it matters by how much."""
    history = evaluation.history
    earlier = history["val_loss"].iloc[: -math.ceil(len(history) / 5)]
    if evaluation.kept != int(history["epoch"].iloc[-1]) or earlier.empty:
        return None
    if history["val_loss"].iloc[-1] > _STILL_FALLING * earlier.min():
        return None
    return (
        "The last epoch was the best: training ended while the model was still improving. Raise "
        "train.epochs."
    )


def _much_set_aside(evaluation: Evaluation) -> str | None:
    bad = len(evaluation.unusable)
    files = bad + len(evaluation.manifest)
    if bad < LARGE_SHARE_SET_ASIDE * files:
        return None
    return (
        f"{bad} of {count(files, 'file')} could not be used. If they are of a kind (one camera, "
        "one class), the model has never seen that kind."
    )


def _filled(evaluation: Evaluation) -> str | None:
    manifest = evaluation.manifest
    shares = 1 - manifest["intact"] / manifest["frames"]
    filled = int((shares > 0).sum())
    if not filled:
        return None
    return (
        f"{count(filled, 'video')} of {len(manifest):,} {'is' if filled == 1 else 'are'} damaged "
        f"and used as far as {'it is' if filled == 1 else 'they are'} whole: the last whole frame "
        f"stands for up to {percent(float(shares.max()))} of a video (ingest.undecodable is "
        "repeat_last)."
    )


WARNINGS: tuple[Callable[[Evaluation], str | None], ...] = (
    _not_proven,
    _one_answer_only,
    _no_groups_known,
    _shared_groups,
    _few_groups,
    _perfect,
    _untested_classes,
    _thinly_tested_classes,
    _unequal_classes,
    _memorised,
    _worse_than_validation,
    _first_epoch_best,
    _stopped_early,
    _much_set_aside,
    _filled,
)
