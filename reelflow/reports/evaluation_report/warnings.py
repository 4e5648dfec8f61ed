"""Warnings of the evaluation report: what a person must know before trusting the model.

`WARNINGS` are functions of an `Evaluation` that yield the sentences that apply, the gravest first.
To add one, yield it, or write a function and name it there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from reelflow.base.words import count, percent, quoted
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
    return [sentence for warning in WARNINGS for sentence in warning(evaluation)]


def _units(evaluation: Evaluation) -> str:
    """What succeeds or fails for itself in the test: groups; videos, where no group is known."""
    groups = evaluation.scores["groups"]
    if evaluation.splits["test"]["known_group"].notna().any():
        return count(groups, "group")
    merged = " (near-duplicates count as one)" if groups < evaluation.scores["videos"] else ""
    return f"{count(groups, 'video')}{merged}"


def _of_the_verdict(evaluation: Evaluation) -> Iterator[str]:
    if not evaluation.verdict.proven:
        yield evaluation.verdict.sentence
    official = set(evaluation.manifest["split"].dropna())
    if warning := made_up_test(official):
        if "validation" in official:
            right = percent(evaluation.best["val_accuracy"])
            warning += f" On the official validation videos, this model is right for {right}."
        yield warning
    yield from _alarm(evaluation, "near_duplicates")
    yield from _alarm(evaluation, "metadata")
    yield from _alarm(evaluation, "one_frame")
    answers = evaluation.predictions["predicted"]
    if answers.nunique() == 1 and len(answers) > 1:
        yield (
            f"Every test video was called “{answers.iloc[0]}”: the model does not distinguish the "
            "classes."
        )


def _alarm(evaluation: Evaluation, name: str) -> Iterator[str]:
    """The sentence of an alarm, if it is raised."""
    if sentence := evaluation.alarms.get(name):
        yield sentence


def _of_groups(evaluation: Evaluation) -> Iterator[str]:
    known = {name: split["known_group"] for name, split in evaluation.splits.items()}
    videos = sum(map(len, known.values()))
    if alone := sum(int(groups.isna().sum()) for groups in known.values()):
        few = f"{alone:,} of {count(videos, 'video')} have no"
        yield (
            f"{'No video has a' if alone == videos else few} known group. If several clips come "
            "from one source (a person, a scene, a camera), they may stand on both sides of the "
            "split, and every figure here is too good. Name the groups in a column “group” of "
            "videos.csv, or with ingest.group_pattern."
        )
    yield from _alarm(evaluation, "hidden_groups")
    learned = {*known["train"].dropna(), *known["validation"].dropna()}
    if shared := learned & set(known["test"].dropna()):
        yield (
            f"{count(len(shared), 'group')} of the test also stand in training or validation, as "
            "the split that came with the videos has it: the test is easier than new groups would "
            "be."
        )
    yield from _few_groups(evaluation)
    yield from _alarm(evaluation, "wide_interval")
    yield from _no_mistake(evaluation)


def _few_groups(evaluation: Evaluation) -> Iterator[str]:
    groups, units = evaluation.scores["groups"], _units(evaluation)
    if groups == 1:
        yield (
            "The test is of one group: it does not show how the model does on others, and there is "
            "no interval. Add groups, or raise preprocess.test_share."
        )
    # The verdict already reports that the test is too small.
    elif groups < FEW_GROUPS and evaluation.verdict.code != "too_few":
        yield (
            f"The test has only {units}: its intervals are rough. With so few, "
            f"one unusual {'group' if 'group' in units else 'video'} moves every figure. "
            f"{evaluation.more_groups}"
        ).rstrip()


def _no_mistake(evaluation: Evaluation) -> Iterator[str]:
    scores = evaluation.scores
    if scores["accuracy"] == 1 and scores["groups"] > 1:
        # The rule of three: no event in n trials is consistent with a rate of up to about 3 in n.
        share, units = percent(min(1.0, 3 / scores["groups"])), _units(evaluation)
        yield (
            f"No mistake was made. That is not certainty: even a model that fails on {share} of "
            f"all {'groups' if 'group' in units else 'videos'} may show no mistake on {units}."
        )


def _of_classes(evaluation: Evaluation) -> Iterator[str]:
    scores, tested = evaluation.scores, evaluation.tested()
    if missing := [label for label in evaluation.labels if label not in tested]:
        yield f"Nothing is known about {quoted(missing)}: the test has no video of it."
    thin = {n for n, of in tested.items() if of["support"] < FEW_VIDEOS or of["groups"] < 2}
    if thin:
        yield (
            f"The figures of {quoted(sorted(thin))} rest on fewer than {FEW_VIDEOS} test videos, "
            "or on one group: do not rely on them."
        )
    if scores["accuracy"] - scores["balanced_accuracy"] >= LARGE_GAP:
        yield (
            f"The accuracy ({percent(scores['accuracy'])}) is carried by the common classes; "
            f"averaged over classes it is {percent(scores['balanced_accuracy'])}."
        )
    if worst := evaluation.slices and sentence(evaluation.slices):
        yield worst


def _of_the_training(evaluation: Evaluation) -> Iterator[str]:
    best, epochs = evaluation.best, len(evaluation.history)
    # Those of a head on embeddings, in a closed form, are no sign of it.
    gap = 0.0 if evaluation.in_one_step else best["accuracy"] - best["val_accuracy"]
    if gap >= LARGE_GAP:
        # Nothing is learned by heart in one epoch.
        why = (
            "the validation videos differ from them, or are few"
            if best["best_epoch"] == 1
            else "it has partly learned its training videos by heart"
        )
        yield (
            f"In the epoch that was kept, it was right for {percent(best['accuracy'])} of the "
            f"training videos but {percent(best['val_accuracy'])} of the validation videos: "
            f"{why}. More videos, and more groups, help most."
        )
    yield from _unlike_validation(evaluation)
    if best["best_epoch"] == 1 and epochs > 1:
        yield (
            "The first epoch was the best: what it learned after that did not carry over to the "
            "validation videos. A smaller train.learning_rate, or more groups, may help."
        )
    # The rate falls to nothing, so the last epoch often is the best: it matters by how much.
    losses = evaluation.history["val_loss"]
    earlier = losses.iloc[: -math.ceil(len(losses) / 5)]
    is_last = best["best_epoch"] == epochs
    if is_last and len(earlier) and losses.iloc[-1] <= _STILL_FALLING * earlier.min():
        yield (
            "The last epoch was the best: training ended while the model was still improving. "
            "Raise train.epochs."
        )


def _unlike_validation(evaluation: Evaluation) -> Iterator[str]:
    scores, validation = evaluation.scores, evaluation.best["val_accuracy"]
    low, high, gap = (
        scores["accuracy_low"],
        scores["accuracy_high"],
        scores["accuracy"] - validation,
    )
    if low is None or low <= validation <= high or abs(gap) < LARGE_GAP:
        return
    side, why = ("above", "easier than new videos") if gap > 0 else ("below", "harder")
    where = "in the folds of the training videos" if evaluation.in_one_step else "on validation"
    yield (
        f"The test accuracy lies well {side} that {where} ({percent(validation)}): the test videos "
        f"are {why}, or one of the two sets is too small to tell."
    )


def _of_files(evaluation: Evaluation) -> Iterator[str]:
    manifest = evaluation.manifest
    shares = 1 - manifest["intact"] / manifest["frames"]
    if filled := int((shares > 0).sum()):
        yield (
            f"Damaged, and used up to the damage: {filled:,} of {count(len(manifest), 'video')}. "
            f"The last whole frame stands for up to {percent(float(shares.max()))} of a video "
            "(ingest.undecodable is repeat_last)."
        )


WARNINGS: tuple[Callable[[Evaluation], Iterator[str]], ...] = (
    _of_the_verdict,
    _of_groups,
    _of_classes,
    _of_the_training,
    _of_files,
)
