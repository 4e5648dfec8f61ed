"""The end of a run on the screen: stages, how good the model is, where to look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.printing import show_table
from flows.engine.stage_outcomes import PipelineResult
from reelflow.base.terminal import printable
from reelflow.base.words import interval, percent
from tasks.common.paths import DATA_DOCS, DATA_REPORT, METRICS, NOT_EXTRACTED, QUARANTINE, REPORT
from tasks.common.stage_inputs import read_json

# More would not be read; the report has them all.
CAUTIONS = 4
_STYLES = {"ran": "green", "restored": "cyan", "failed": "bold red", "not run": "yellow"}


def print_summary(result: PipelineResult) -> None:
    """Print the table of stages and, after a whole run, its results."""
    console = print_stages(result)
    if result.error:
        return
    if result.nothing_to_do:
        console.print("Nothing changed since the last run.\n")
    for line in _outcome():
        console.print(line, soft_wrap=isinstance(line, (str, Text)))


def print_stages(result: PipelineResult) -> Console:
    """Print the table of stages, and why the run ended early if it did."""
    rows: list[list[str | Text]] = [
        [one.stage, Text(one.outcome, _STYLES.get(one.outcome, "dim")), _seconds(one.seconds)]
        for one in result.stages
    ]
    rows.append(["", "", Text(_seconds(sum(one.seconds for one in result.stages)), "bold")])
    print()
    console = show_table([("stage", "left"), ("outcome", "left"), ("seconds", "right")], rows)
    if result.error:
        style = "yellow" if result.interrupted else "bold red"
        console.print(Text(printable(result.error, lines=True), style=style))
    return console


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds else ""


def _outcome() -> list[Text | Table | str]:
    figures = _read("evaluate")
    lines: list[Text | Table | str] = []
    if figures:
        confidence = f"{100 * figures['interval_confidence']:g}% interval"
        lines += [
            f"test accuracy {percent(figures['accuracy'])}  ({confidence}: "
            f"{interval(figures, 'accuracy')}; always the commonest class: "
            f"{percent(figures['baseline_accuracy'])})",
            _headline("verdict", figures["verdict"]["headline"], figures["cautions"], REPORT),
        ]
    if data := _read("validate"):
        lines.append(_headline("data", data["headline"], data["cautions"], DATA_REPORT))
    lists = {QUARANTINE: "ingest", NOT_EXTRACTED: "extract"}
    aside = {path: _read(stage).get("quarantined", 0) for path, stage in lists.items()}
    where = " and ".join(str(path) for path, count in aside.items() if count)
    lines.append(
        f"set aside     {sum(aside.values())} files, each with its reason and remedy: {where}"
        if where
        else "set aside     no file"
    )
    lines += [f"registered    {_registered()}"]
    lines += [f"report        {REPORT}", f"data report   {DATA_REPORT}"]
    return [*lines, f"data docs     {DATA_DOCS}", "browse        make ui"]


def _headline(name: str, headline: str, cautions: list[str], report: Path) -> Table:
    """The headline of a report and its gravest cautions, for people who open no report."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=13)
    table.add_column(max_width=100)
    table.add_row(name, Text(printable(headline), style="bold"))
    for caution in cautions[:CAUTIONS]:
        table.add_row("", Text(f"! {printable(caution)}", style="yellow"))
    if len(cautions) > CAUTIONS:
        table.add_row("", f"! {len(cautions) - CAUTIONS} more: {report}")
    return table


def _registered() -> str:
    figures = _read("register")
    if not figures:
        return "nothing"
    from reelflow.registry.versions import REASON, registration

    found = registration(figures["name"], figures["model_hash"], figures["data_hash"])
    if found is None:
        return f"{figures['name']} is not in the registry; run the same command again"
    aliases = ", ".join(sorted(found.aliases)) or "no alias"
    return printable(f"{found.name} version {found.version} ({aliases}): {found.tags[REASON]}")


def _read(stage: str) -> dict[str, Any]:
    path = METRICS / f"{stage}.json"
    return read_json(path) if path.is_file() else {}
