"""The headline of the data report, and the figures behind it."""

from __future__ import annotations

from reelflow.base.words import count, length
from reelflow.reports.data_report.content import DataSet
from reelflow.reports.data_report.warnings import verb, warnings


def headline(data: DataSet) -> str:
    """The one line that answers: can this be learned from?"""
    if data.broken:
        broken = count(len(data.broken), "expectation")
        return f"Not fit to learn from yet: {broken} {verb(len(data.broken), 'is', 'are')} broken"
    doubts = len(warnings(data))
    if doubts:
        return f"Fit to learn from, with {count(doubts, 'reservation')}"
    return "Fit to learn from, as far as these checks show"


def summary(data: DataSet) -> list[str]:
    """The figures behind the headline, a sentence each."""
    known = int(data.videos["group"].nunique())
    groups = f" from {count(known, 'known group')}" if known else ""
    bad, same = len(data.unusable), len(data.duplicates)
    similar = int(data.videos["alike"].count())
    again = f" {count(similar, 'video')} {verb(similar, 'looks', 'look')} like another one."
    aside = f"{count(bad, 'file')} could not be used" if bad else "Every file could be used"
    twice = f", and {count(same, 'file')} {verb(same, 'was', 'were')} there twice" if same else ""
    seconds = data.videos["duration"]
    return [
        f"{count(len(data.videos), 'video')} of {count(len(data.labels), 'class', 'classes')}"
        f"{groups}, {length(seconds.sum())} in all, from {length(seconds.min())} to "
        f"{length(seconds.max())} each.",
        f"{aside}{twice}.{again if similar else ''}",
    ]
