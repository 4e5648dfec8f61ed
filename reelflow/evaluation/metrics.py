"""How good are these predictions, and how sure is that? Functions of arrays, nothing else.

A metric is a function of the answers to the test and of weights, a row a resampling. It yields
figures: a value a resampling, or one a resampling and class, and what they rest on. `METRICS` is
the list of them. To add one, write it and name it there: `evaluate` gives it an interval, the
report shows it, and, if it is `compared`, so do DVC and MLflow. Of a figure of
each class the mean over classes follows, as `macro_<name>`.

Rules for what is undefined, so that no NaN reaches a file:
- a class without a test video has no figures (None) and is left out of every average over classes;
- the precision of a class that was never predicted is 0, as scikit-learn's `zero_division=0`;
- fewer than two groups (of the test, of a class, of what was called by its name) show nothing about
  other groups: no interval;
- a resampling without any video of a class is left out of that class's interval;
- an area under a curve needs videos of the class and of others.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.evaluation.answers import Answers, Ints, group_codes
from reelflow.evaluation.areas import areas_under
from reelflow.evaluation.intervals import DEFAULT, Bootstrap, Floats, Weight, draws

DIGITS = 6
AREAS = ("roc_auc", "average_precision")


@dataclass(frozen=True)
class Figure:
    """What a metric gives.

    Attributes:
        name: as in the JSON of all figures.
        values: (R,), or (R, K) for a figure of each class; NaN where undefined.
        behind: what the figure, or that of each class, rests on.
        compared: whether runs are compared by it, or by its mean over classes.
        shared: the groups that the mean over classes rests on, if not those of the whole test.
        lowest: the least possible value; the highest is 1.
    """

    name: str
    values: Floats
    behind: Weight
    compared: bool = False
    shared: Weight | None = None
    lowest: float = 0.0


Metric = Callable[[Answers, Floats], Iterator[Figure]]


def accuracy(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """The share of right answers."""
    yield Figure("accuracy", _share(answers.right, weights), answers.whole, compared=True)


def top_k_accuracy(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """The share of videos whose class is among the k most probable, if that is news."""
    if 1 < answers.k < answers.probabilities.shape[1]:
        hits = top_k_hits(answers.targets, answers.probabilities, answers.k)
        yield Figure(f"top_{answers.k}_accuracy", _share(hits, weights), answers.whole)


def recall(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """The recall of each class, and their mean, the balanced accuracy."""
    actual, right, support = _by_class(answers, weights)
    behind = answers.behind(actual)
    tested = behind[behind.videos > 0].mean(answers.whole)
    yield Figure("balanced_accuracy", mean(right / support), tested, compared=True)
    yield Figure("recall", right / support, behind)


def precision(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """Precision and F1 of each class against the rest."""
    actual, right, support = _by_class(answers, weights)
    called = answers.one_hot(answers.predicted)
    guesses = weights @ called
    found = np.where(np.isnan(support), np.nan, right / np.maximum(guesses, 1))
    yield Figure("precision", found, answers.behind(called))
    f1 = 2 * right / (support + guesses)
    yield Figure("f1", f1, answers.behind((actual + called) / 2), compared=True)


def areas(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """The areas under the ROC and the precision-recall curve of each class against the rest.

    A ROC area rests on the fewer of the videos of the class and the others, and on the fewer of
    their groups; an average precision on the videos of the class.
    """
    actual = answers.one_hot(answers.targets).toarray()
    found = np.stack(
        [
            areas_under(actual[:, i] > 0, answers.probabilities[:, i], weights)
            for i in range(actual.shape[1])
        ],
        axis=-1,
    )
    ours, others = answers.behind(actual), answers.behind(1 - actual)
    groups, few = np.minimum(ours.groups, others.groups), ours.videos <= others.videos
    fewer = Weight(
        np.minimum(ours.videos, others.videos), groups, np.where(few, ours.a_group, others.a_group)
    )
    ours = replace(ours, groups=groups)
    for name, values, behind in zip(AREAS, found, (fewer, ours), strict=True):
        of = behind[~np.isnan(values[0])]
        shared = replace(
            answers.whole, groups=of.groups.min(initial=np.inf), a_group=of.a_group.max(initial=0)
        )
        yield Figure(name, values, behind, name == "roc_auc", shared)


def agreement(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """Cohen's kappa, the accuracy beyond that of chance: 0 is chance, 1 is perfect (Educ. Psychol.
    Meas. 20, 1960). Of two equally common classes (1 + kappa) / 2 is the accuracy."""
    actual, called = (
        weights @ answers.one_hot(numbers) / weights.sum(axis=1)[:, None]
        for numbers in (answers.targets, answers.predicted)
    )
    chance = (actual * called).sum(axis=1)
    beyond = _share(answers.right, weights) - chance
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = np.where(chance < 1, beyond / (1 - chance), np.nan)
    yield Figure("kappa", kappa, answers.whole, lowest=-1.0)


def brier(answers: Answers, weights: Floats) -> Iterator[Figure]:
    """The mean Brier score, 0 to 1; less is better."""
    distances = squared_distances(answers.targets, answers.probabilities)
    yield Figure("brier", np.asarray(weights @ distances / weights.sum(axis=1)), answers.whole)


METRICS: tuple[Metric, ...] = (accuracy, recall, precision, areas, top_k_accuracy, agreement, brier)


def evaluate(
    targets: Ints,
    probabilities: NDArray[Any],
    groups: Sequence[Any],
    labels: Sequence[str],
    *,
    majority: int,
    top_k: int = 2,
    bootstrap: Bootstrap = DEFAULT,
    metrics: Sequence[Metric] | None = None,
) -> dict[str, Any]:
    """Every figure of the test, as JSON values rounded to six digits.

    Args:
        targets: int (N,), true class numbers. N is at least 1.
        probabilities: float (N, K), rows that sum to 1.
        groups: (N,), the group of each video, or None.
        labels: the K class names.
        majority: class number of the baseline, the most common class of the *training* videos.
        top_k: k of the top-k accuracy.
        bootstrap: how the `_low` and `_high` ends of the intervals are made.
        metrics: those of `METRICS` that are wanted, if not all.

    Returns:
        Each figure with `_low` and `_high`; of those by which runs are compared, which `compared`
        names, `baseline_<name>` of the constant answer; `videos`, `groups`, `classes_tested`; and
        `per_class`, by label: each figure of a class with its ends, `support`, `groups`. See the
        module's docstring for what is None.
    """
    metrics = METRICS if metrics is None else metrics
    answers = Answers(np.asarray(targets), probabilities, group_codes(groups), top_k)
    found = with_ends(answers, bootstrap, metrics)
    compared = [figure.name for figure in found if figure.compared]
    scores: dict[str, Any] = {"compared": compared}
    classes: dict[str, Floats] = {}
    for figure in found:
        for end, value in zip(("", "_low", "_high"), figure.values, strict=True):
            if figure.values.ndim > 1:
                classes[f"{figure.name}{end}"] = value
            else:
                scores[f"{figure.name}{end}"] = number(value)
    tested = len(np.unique(targets))
    constant = np.eye(len(labels))[np.full(len(targets), majority)]
    baseline = values(replace(answers, probabilities=constant), metrics)
    return {
        **scores,
        **{f"baseline_{name}": baseline[name] for name in scores["compared"]},
        # Averaged over classes, any constant answer that is tested is as good.
        "baseline_balanced_accuracy": number(1 / tested),
        "videos": len(targets),
        "groups": len(np.unique(answers.groups)),
        "classes_tested": tested,
        "per_class": {
            label: {
                **{name: number(value[i]) for name, value in classes.items()},
                "support": int((targets == i).sum()),
                "groups": len(np.unique(answers.groups[targets == i])),
            }
            for i, label in enumerate(labels)
        },
    }


def with_ends(answers: Answers, bootstrap: Bootstrap, metrics: Sequence[Metric]) -> list[Figure]:
    """What metrics yield, with (3, …) `values`: the figure and the ends of its interval."""
    found = figures_of(answers, np.ones((1, len(answers.targets))), metrics)
    drawn: dict[str, list[Floats]] = {name: [] for name in found}
    for counts in draws(len(np.unique(answers.groups)), bootstrap, width=len(answers.targets)):
        for name, figure in figures_of(answers, counts[:, answers.groups], metrics).items():
            drawn[name].append(figure.values)
    figures = []
    for name, figure in found.items():
        # Intervals are of shares.
        least, room = figure.lowest, 1 - figure.lowest
        share, shares = (
            (v - least) / room for v in (figure.values[0], np.concatenate(drawn[name]))
        )
        ends = least + room * bootstrap.interval(share, shares, figure.behind)
        figures.append(replace(figure, values=np.stack([figure.values[0], *ends])))
    return figures


def compared(scores: Mapping[str, Any]) -> dict[str, float]:
    """The few figures by which runs are compared, of those of `evaluate`; undefined ones left out.

    They become a column each in a table of experiments, and figures of the run in MLflow.
    """
    names = ["videos", "baseline_accuracy", "accuracy_low", *scores["compared"]]
    return {name: scores[name] for name in names if scores[name] is not None}


def values(answers: Answers, metrics: Sequence[Metric] | None = None) -> dict[str, float | None]:
    """The figures of the test as a whole, without intervals."""
    found = figures_of(answers, np.ones((1, len(answers.targets))), metrics or METRICS)
    return {name: number(f.values[0]) for name, f in found.items() if f.values.ndim == 1}


def top_k_hits(targets: Ints, probabilities: NDArray[Any], k: int) -> NDArray[np.bool_]:
    """Whether the true class is among the k most probable, bool (N,).

    Of equal ones the first comes first, as in `argmax`, so that top 1 is the accuracy.
    """
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    return np.asarray((ranked[:, :k] == targets[:, None]).any(axis=1))


def squared_distances(targets: Ints, probabilities: NDArray[Any]) -> Floats:
    """The Brier score of each answer, (N,): half of the squared distance to the truth, from 0 to 1
    (Monthly Weather Review 78, 1950; halved, as is usual for two classes)."""
    wanted = np.eye(probabilities.shape[1])[targets]
    return np.asarray(((probabilities - wanted) ** 2).sum(axis=1) / 2, dtype=np.float64)


def mean(values: Floats) -> Floats:
    """Over the classes of each resampling, of those that it has, (R,)."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return np.asarray(np.nanmean(values, axis=1))


def number(value: float) -> float | None:
    """As it stands in a file: six digits, None for NaN."""
    return None if np.isnan(value) else round(float(value), DIGITS)


def figures_of(answers: Answers, weights: Floats, metrics: Sequence[Metric]) -> dict[str, Figure]:
    """What the metrics yield, by name, and the means over classes of what is given by class."""
    found = {}
    for metric in metrics:
        for figure in metric(answers, weights):
            found[figure.name] = figure
            if figure.values.ndim > 1:
                name, of = f"macro_{figure.name}", figure.behind[~np.isnan(figure.values[0])]
                behind = of.mean(figure.shared or answers.whole)
                found[figure.name] = replace(figure, compared=False)
                found[name] = Figure(name, mean(figure.values), behind, figure.compared)
    return found


def _share(hits: NDArray[np.bool_], weights: Floats) -> Floats:
    return np.asarray(weights @ hits / weights.sum(axis=1))


def _by_class(answers: Answers, weights: Floats) -> tuple[Any, Floats, Floats]:
    """Which video is of which class, sparse (N, K); right answers and videos of each, (R, K)."""
    actual = answers.one_hot(answers.targets)
    right, support = weights @ (actual * answers.right[:, None]), weights @ actual
    return actual, right, np.where(support > 0, support, np.nan)
