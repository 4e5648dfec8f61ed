"""Great Expectations judges the tables; its Data Docs are rendered to pages that open offline.

The stock pages fetch their style and scripts from five public hosts and carry the time, random
ids and a run's name. Here Great Expectations' own renderers and view make the pages, with its
page frame exchanged for one that brings its style along and leaves out what changes from run to
run: the same tables give the same bytes, which is what lets DVC compare them. Nothing is written
anywhere and nothing is sent; importing Great Expectations costs 4 s and happens in `judge`.
"""

from __future__ import annotations

import html
import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pandas as pd

from reelflow.reports.expectations import ROW_NAMES, Check, Finding

# Rows that differ which a page lists; the sentence names fewer, the count is always exact.
_LISTED = 20


@dataclass(frozen=True)
class Judgement:
    """What Great Expectations found.

    Attributes:
        findings: one a check, in the order of the checks.
        pages: HTML by file name; `index.html` links to the others.
    """

    findings: list[Finding]
    pages: dict[str, str]


def judge(tables: Mapping[str, pd.DataFrame], checks: list[Check]) -> Judgement:
    """Judge the tables of `observe` by the checks, a suite a table.

    Raises:
        RuntimeError: an expectation could not be evaluated at all, which is a fault of its check.
    """
    context, view = _context(), _view()
    findings: dict[str, Finding] = {}
    pages: dict[str, str] = {}
    for name, table in tables.items():
        ours = [check for check in checks if check.table == name]
        if not ours:
            continue
        result = _validate(context, name, table, ours)
        for check, single in zip(ours, result.results, strict=True):
            findings[check.key] = _finding(check, single, len(table))
        pages[f"{name}.html"] = _page(view, name, result)
    ordered = [findings[check.key] for check in checks]
    return Judgement(ordered, {**pages, "index.html": _index(ordered)})


def _context() -> Any:
    """A context in memory: no folder of its own, no temporary site, no progress bar, no reports."""
    # It logs its own start-up at INFO, dozens of lines.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _validate(context: Any, name: str, table: pd.DataFrame, checks: list[Check]) -> Any:
    """The suite's result, its parts in the order of the checks and without the time of the run."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(name)
    for check in checks:
        suite.add_expectation(
            getattr(gx.expectations, check.expectation)(
                **check.kwargs,
                meta={"key": check.key},
                description=check.claim + ".",
                severity="warning" if check.warning else "critical",
            )
        )
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": table})
    result = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "partial_unexpected_count": _LISTED,
            "unexpected_index_column_names": ROW_NAMES[name],
            "return_unexpected_index_query": False,
        },
    )
    order = {check.key: place for place, check in enumerate(checks)}
    result.results.sort(key=lambda single: order[single.expectation_config.meta["key"]])
    return result


def _finding(check: Check, single: Any, total: int) -> Finding:
    raised = single.exception_info
    if raised.get("raised_exception", True):
        raise RuntimeError(f"The expectation {check.key} cannot be evaluated: {raised}")
    result = single.result
    name = check.row_name or ROW_NAMES[check.table][0]
    return Finding(
        check=check,
        held=bool(single.success),
        count=int(result.get("unexpected_count", 0)),
        total=total,
        rows=[str(row[name]) for row in result.get("partial_unexpected_index_list") or []],
        observed=str(result.get("observed_value", "")),
    )


def _view() -> Any:
    """Great Expectations' view, with our frame for the page, counted ids and escaped text."""
    from great_expectations.render.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, DictLoader, pass_context

    view = DefaultJinjaPageView()
    numbers = itertools.count(1)

    @pass_context
    def render_block(scope: Any, block: Any, **options: Any) -> Any:
        # The view passes plain text through as if it were HTML; it may be the name of a file.
        if isinstance(block, str):
            return html.escape(block, quote=False)
        return view.render_content_block(scope, block, **options)

    view.env.loader = ChoiceLoader([DictLoader({"page.j2": _frame()}), view.env.loader])
    view.env.filters["generate_html_element_uuid"] = lambda prefix: f"{prefix}{next(numbers)}"
    view.env.filters["render_content_block"] = render_block
    return view


def _page(view: Any, name: str, result: Any) -> str:
    """The validation page of one suite, by Great Expectations' renderer."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer

    document = ValidationResultsPageRenderer().render(result)
    # Of the overview's blocks only the second, the counts, is the same for every run.
    document.sections[0].content_blocks[:] = document.sections[0].content_blocks[1:2]
    return _tidy(view.render(document, title=name))


def _index(findings: list[Finding]) -> str:
    """The first page: what is broken, what is warned of, and a row a suite."""
    from jinja2 import Environment

    suites = [
        {
            "name": name,
            **{
                state: sum(f.state == state for f in findings if f.check.table == name)
                for state in ("held", "warning", "broken")
            },
        }
        for name in ROW_NAMES
        if any(f.check.table == name for f in findings)
    ]
    sentences = [
        (state, [f.sentence for f in findings if f.state == state])
        for state in ("broken", "warning")
    ]
    template = Environment(autoescape=True).from_string(_frame())
    held = sum(finding.held for finding in findings)
    return _tidy(
        template.render(
            title="", suites=suites, sentences=sentences, held=held, total=len(findings)
        )
    )


def _frame() -> str:
    ours = files("reelflow.reports")
    style = ours.joinpath("page", "style.css").read_text(encoding="utf-8")
    return (
        ours.joinpath("data_docs.jinja").read_text(encoding="utf-8").replace("/* STYLE */", style)
    )


def _tidy(page: str) -> str:
    lines = (line.rstrip() for line in page.splitlines())
    return "\n".join(line for line in lines if line) + "\n"
