"""The Data Docs: every expectation of the data, a row each, and the rows that break it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reelflow.reports import page
from reelflow.reports.expectations import NOUNS, Finding


def render(findings: Sequence[Finding]) -> str:
    """The page as HTML; the same findings give the same bytes."""
    shown = {"findings": {"findings": findings, "nouns": NOUNS}}
    return page.render(Path(__file__).parent, "Data Docs", shown)
