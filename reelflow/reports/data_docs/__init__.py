"""The Data Docs: every expectation of the data, a row each, and the rows that break it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reelflow.reports import page
from reelflow.reports.expectations import NOUNS, Finding

_HERE = Path(__file__).parent


def render(findings: Sequence[Finding]) -> str:
    """The page as HTML; the same findings give the same bytes."""
    shown = page.fragment(_HERE / "findings.html.jinja", findings=findings, nouns=NOUNS)
    return page.render(_HERE, "Data Docs", [shown])
