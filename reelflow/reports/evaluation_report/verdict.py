"""The verdict: what a person must know before trusting the model, in plain sentences.

A warning is a function of an `Evaluation` that returns its sentence, or None where it does not
apply; `WARNINGS` is the list of them, the gravest first. To add one, write it and name it there.
"""

from __future__ import annotations

from collections.abc import Callable

from reelflow.base.words import count, interval, percent, quoted
from reelflow.intake.labelled_videos import made_up_test
from reelflow.reports.evaluation_report import learning
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.evaluation_report.learning import LARGE_GAP

# With fewer groups each of them moves a figure by a tenth and more.
FEW_GROUPS = 10
FEW_VIDEOS = 5


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
    known = evaluation.splits["test"]["known_group"]
    if known.isna().all():
        return ""
    return f" from {count(known.nunique(), 'known group' if known.isna().any() else 'group')}"


def _units(evaluation: Evaluation) -> str:
    """What succeeds or fails for itself in the test: groups; videos, where no group is known."""
    groups = evaluation.scores["groups"]
    if evaluation.splits["test"]["known_group"].notna().any():
        return count(groups, "group")
    alike = " (near-duplicates count as one)" if groups < evaluation.scores["videos"] else ""
    return f"{count(groups, 'video')}{alike}"


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
    return (
        f"Every test video was called “{answers[0]}”: the model does not distinguish the classes."
    )


def _made_up_test(evaluation: Evaluation) -> str | None:
    said = made_up_test(evaluation.official)
    if not said or "validation" not in evaluation.official:
        return said or None
    right = percent(float(evaluation.kept_epoch["val_accuracy"]))
    return f"{said} On the official validation videos, this model is right for {right}."


def _told_without_pictures(evaluation: Evaluation) -> str | None:
    """What the data report found about file properties."""
    found = {name: told for name, told in evaluation.told.items() if told["alarming"]}
    if not found:
        return None
    name, told = max(found.items(), key=lambda item: float(item[1]["share"]))
    scores = evaluation.scores
    own, low = scores["balanced_accuracy"], scores["balanced_accuracy_low"]
    figures = (
        f"from {name} alone, a small model reaches {percent(told['share'])} "
        f"({interval({'_low': told['low'], '_high': told['high']}, '')}) balanced accuracy; this "
        f"model, with pictures, {percent(own)} ({interval(scores, 'balanced_accuracy')})"
    )
    if told["share"] >= (own if low is None else low):
        return (
            f"A model without pictures is as good: {figures}. This model may have learned the "
            "cameras and programs alone; the data report shows which."
        )
    return (
        f"The class can be predicted without the pictures: {figures}. This model may have learned "
        "cameras and programs in part; the data report shows which."
    )


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
    # That a test is too small for a verdict says it already.
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
        f"one unusual {'group' if 'group' in units else 'video'} moves every figure."
    )


def _all_or_nothing(evaluation: Evaluation) -> str | None:
    scores = evaluation.scores
    if 0 < scores["accuracy"] < 1 or scores["groups"] < 2:
        return None
    said, is_so, none = (
        ("No mistake was made", "fails", "no mistake")
        if scores["accuracy"] == 1
        else ("No answer was right", "is right", "no right answer")
    )
    # The rule of three: no event in n trials is consistent with a rate of up to about 3 in n.
    share = percent(min(1.0, 3 / scores["groups"]))
    units = _units(evaluation)
    return (
        f"{said}. That is not certainty: even a model that {is_so} on {share} of all "
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


WARNINGS: tuple[Callable[[Evaluation], str | None], ...] = (
    _not_proven,
    _made_up_test,
    _told_without_pictures,
    _one_answer_only,
    _no_groups_known,
    _shared_groups,
    _few_groups,
    _all_or_nothing,
    _untested_classes,
    _thinly_tested_classes,
    _unequal_classes,
    learning.memorised,
    learning.unlike_validation,
    learning.first_epoch_best,
    learning.stopped_early,
    _filled,
)
