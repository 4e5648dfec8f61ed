"""Warnings of the evaluation report: what a person must know before trusting the model.

A warning is a function of an `Evaluation` that returns its sentence, or None where it does not
apply; `WARNINGS` is the list of them, the gravest first. To add one, write it and name it there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reelflow.base.words import count, percent, quoted
from reelflow.evaluation.alarms import metadata
from reelflow.evaluation.slices import sentence
from reelflow.intake.labelled_videos import made_up_test
from reelflow.reports.evaluation_report.content import Evaluation

# With fewer groups each of them moves a figure by a tenth and more.
FEW_GROUPS = 10
FEW_VIDEOS = 5
# Difference between two accuracies that a reader should know of.
LARGE_GAP = 0.15
# A last epoch lower than this share of the best before the last fifth is no end of learning.
_STILL_FALLING = 0.75


def warnings(evaluation: Evaluation) -> list[str]:
    """The sentences of the warnings that apply, the gravest first."""
    found = (warning(evaluation) for warning in WARNINGS)
    return [sentence for sentence in found if sentence]


def _units(evaluation: Evaluation) -> str:
    """What succeeds or fails for itself in the test: groups; videos, where no group is known."""
    groups = evaluation.scores["groups"]
    if evaluation.splits["test"]["known_group"].notna().any():
        return count(groups, "group")
    merged = " (near-duplicates count as one)" if groups < evaluation.scores["videos"] else ""
    return f"{count(groups, 'video')}{merged}"


def _not_proven(evaluation: Evaluation) -> str | None:
    return None if evaluation.verdict.proven else evaluation.verdict.sentence


def _one_answer_only(evaluation: Evaluation) -> str | None:
    answers = evaluation.predictions["predicted"].unique()
    if len(answers) > 1 or len(evaluation.predictions) < 2:
        return None
    return (
        f"Every test video was called “{answers[0]}”: the model does not distinguish the classes."
    )


def _made_up_test(evaluation: Evaluation) -> str | None:
    warning = made_up_test(evaluation.official)
    if not warning or "validation" not in evaluation.official:
        return warning or None
    right = percent(float(evaluation.kept_epoch["val_accuracy"]))
    return f"{warning} On the official validation videos, this model is right for {right}."


def _predicted_without_pictures(evaluation: Evaluation) -> str | None:
    return metadata.sentence(evaluation.scores, evaluation.shortcuts)


def _alarm(name: str) -> Callable[[Evaluation], str | None]:
    """What an alarm says that is no warning of its own."""
    return lambda evaluation: evaluation.alarms.get(name)


def _no_groups_known(evaluation: Evaluation) -> str | None:
    videos = sum(len(split) for split in evaluation.splits.values())
    alone = sum(int(split["known_group"].isna().sum()) for split in evaluation.splits.values())
    if not alone:
        return None
    who = "No video has a" if alone == videos else f"{alone:,} of {count(videos, 'video')} have no"
    return (
        f"{who} known group. If several clips come from one source (a person, a scene, a camera), "
        "they may stand on both sides of the split, and every figure here is too good. Name the "
        "groups in a column “group” of videos.csv, or with ingest.group_pattern."
    )


def _shared_groups(evaluation: Evaluation) -> str | None:
    tested, *others = (
        set(evaluation.splits[name]["known_group"].dropna())
        for name in ("test", "train", "validation")
    )
    learned = set().union(*others)
    if not tested & learned:
        return None
    return (
        f"{count(len(tested & learned), 'group')} of the test also stand in training or "
        "validation, as the split that came with the videos has it: the test is easier than new "
        "groups would be."
    )


def _few_groups(evaluation: Evaluation) -> str | None:
    groups = evaluation.scores["groups"]
    # The verdict already reports that the test is too small.
    if groups >= FEW_GROUPS or (groups > 1 and evaluation.verdict.code == "too_few"):
        return None
    if groups == 1:
        return (
            "The test is of one group: it does not show how the model does on others, and there is "
            "no interval. Add groups, or raise preprocess.test_share."
        )
    units = _units(evaluation)
    return (
        f"The test has only {units}: its intervals are rough. With so few, "
        f"one unusual {'group' if 'group' in units else 'video'} moves every figure. "
        f"{evaluation.more_groups}"
    ).rstrip()


def _all_or_nothing(evaluation: Evaluation) -> str | None:
    scores = evaluation.scores
    if 0 < scores["accuracy"] < 1 or scores["groups"] < 2:
        return None
    found, is_so, none = (
        ("No mistake was made", "fails", "no mistake")
        if scores["accuracy"] == 1
        else ("No answer was right", "is right", "no right answer")
    )
    # The rule of three: no event in n trials is consistent with a rate of up to about 3 in n.
    share = percent(min(1.0, 3 / scores["groups"]))
    units = _units(evaluation)
    return (
        f"{found}. That is not certainty: even a model that {is_so} on {share} of all "
        f"{'groups' if 'group' in units else 'videos'} may show {none} on {units}."
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
        "group: do not rely on them."
    )


def _unequal_classes(evaluation: Evaluation) -> str | None:
    scores = evaluation.scores
    if scores["accuracy"] - scores["balanced_accuracy"] < LARGE_GAP:
        return None
    return (
        f"The accuracy ({percent(scores['accuracy'])}) is carried by the common classes; averaged "
        f"over classes it is {percent(scores['balanced_accuracy'])}."
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


def _memorised(evaluation: Evaluation) -> str | None:
    epoch = evaluation.kept_epoch
    if evaluation.in_one_step:
        return None  # its figures of the training videos are those of a closed form
    if epoch["accuracy"] - epoch["val_accuracy"] < LARGE_GAP:
        return None
    # Nothing is learned by heart in one epoch.
    first = evaluation.kept == evaluation.history["epoch"].iloc[0]
    why = (
        "the validation videos differ from them, or are few"
        if first
        else "it has partly learned its training videos by heart"
    )
    return (
        f"In the epoch that was kept, it was right for {percent(epoch['accuracy'])} of the "
        f"training videos but {percent(epoch['val_accuracy'])} of the validation videos: {why}. "
        "More videos, and more groups, help most."
    )


def _unlike_validation(evaluation: Evaluation) -> str | None:
    scores, validation = evaluation.scores, float(evaluation.kept_epoch["val_accuracy"])
    low, high, gap = (
        scores["accuracy_low"], scores["accuracy_high"], validation - scores["accuracy"],
    )  # fmt: skip
    if low is None or low <= validation <= high or abs(gap) < LARGE_GAP:
        return None
    if evaluation.in_one_step:
        return (
            f"The test accuracy lies well {'below' if gap > 0 else 'above'} that in the folds of "
            f"the training videos ({percent(validation)}): the test videos differ from them, or "
            "are too few."
        )
    if gap > 0:
        return (
            f"The test accuracy lies well below that on validation ({percent(validation)}), which "
            "chose the epoch: the test videos differ, or the validation videos are too few."
        )
    return (
        f"The test accuracy lies well above that on validation ({percent(validation)}), although "
        "validation chose the epoch: the test is easier, or more like the training videos, than "
        "new videos will be, or the validation videos are too few."
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


def _worst_slice(evaluation: Evaluation) -> str | None:
    return sentence(evaluation.slices) if evaluation.slices else None


WARNINGS: tuple[Callable[[Evaluation], str | None], ...] = (
    _not_proven,
    _made_up_test,
    _alarm("near_duplicates"),
    _predicted_without_pictures,
    _alarm("one_frame"),
    _one_answer_only,
    _no_groups_known,
    _alarm("hidden_groups"),
    _shared_groups,
    _few_groups,
    _alarm("wide_interval"),
    _all_or_nothing,
    _untested_classes,
    _thinly_tested_classes,
    _unequal_classes,
    _worst_slice,
    _memorised,
    _unlike_validation,
    _first_epoch_best,
    _stopped_early,
    _filled,
)
