"""Great Expectations judges the tables.

Nothing is written anywhere and nothing is sent; importing Great Expectations costs 4 s and happens
in `judge`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reelflow.reports.expectations import ROW_NAMES, Check, Finding

# Rows that differ which are named; the count is always exact.
_LISTED = 20


def judge(tables: Mapping[str, pd.DataFrame], checks: list[Check]) -> list[Finding]:
    """What became of each check on the tables of `observe`, in the order of the checks.

    Raises:
        RuntimeError: an expectation could not be evaluated at all, which is a fault of its check.
    """
    context = _context()
    findings: dict[str, Finding] = {}
    for name, table in tables.items():
        ours = {check.key: check for check in checks if check.table == name}
        for single in _validate(context, name, table, list(ours.values())) if ours else ():
            key = single.expectation_config.meta["key"]
            findings[key] = _finding(ours[key], single, len(table))
    return [findings[check.key] for check in checks]


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
    """The results of a suite for a table."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(name)
    for check in checks:
        made = getattr(gx.expectations, check.expectation)
        suite.add_expectation(made(**check.kwargs, meta={"key": check.key}))
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": table})
    form = {
        "result_format": "COMPLETE",
        "partial_unexpected_count": _LISTED,
        "unexpected_index_column_names": ROW_NAMES[name],
        "return_unexpected_index_query": False,
    }
    return batch.validate(suite, result_format=form).results


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
