"""What a person sees at the end of a run: stages, how good the model is, where to look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.engine.outcome import PipelineResult
from reelflow.base.terminal import printable
from reelflow.base.words import interval, percent
from tasks.common.inputs import read_json
from tasks.common.paths import DATA_DOCS, DATA_REPORT, METRICS, NOT_EXTRACTED, QUARANTINE, REPORT

# As many as are read; a report has them all.
CAUTIONS = 4
_STYLES = {"ran": "green", "restored": "cyan", "failed": "bold red", "not run": "yellow"}


def print_summary(result: PipelineResult) -> None:
    """Print the table of stages and, after a whole run, what it came to."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print()
    console.print(_stages(result))
    if result.error:
        console.print(
            Text(
                printable(result.error, lines=True),
                style="yellow" if result.interrupted else "bold red",
            )
        )
        return
    if result.nothing_to_do:
        console.print("Nothing changed since the last run.\n")
    for line in _outcome():
        console.print(line, soft_wrap=isinstance(line, (str, Text)))


def _stages(result: PipelineResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    table.add_column("outcome")
    table.add_column("seconds", justify="right")
    for stage in result.stages:
        seconds = f"{stage.seconds:.1f}" if stage.seconds else ""
        style = _STYLES.get(stage.outcome, "dim")
        table.add_row(stage.stage, Text(stage.outcome, style=style), seconds)
    total = sum(stage.seconds for stage in result.stages)
    if total:
        table.add_row("", "", f"{total:.1f}", style="bold")
    return table


def _outcome() -> list[Text | Table | str]:
    told = _read("evaluate")
    lines: list[Text | Table | str] = []
    if told:
        confidence = f"{100 * told['interval_confidence']:g}% interval"
        lines += [
            f"test accuracy {percent(told['accuracy'])}  ({confidence}: "
            f"{interval(told, 'accuracy')}; always the commonest class: "
            f"{percent(told['baseline_accuracy'])})",
            _said("verdict", told["verdict"]["headline"], told["cautions"], REPORT),
        ]
    if data := _read("validate"):
        lines.append(_said("data", data["headline"], data["cautions"], DATA_REPORT))
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
    return [*lines, f"data docs     {DATA_DOCS / 'index.html'}", "browse        make ui"]


def _said(name: str, headline: str, cautions: list[str], report: Path) -> Table:
    """What a report says first, and its gravest cautions: whoever reads no report reads these."""
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
    told = _read("register")
    if not told:
        return "nothing"
    from reelflow.registry.versions import registration

    found = registration(told["name"], told["model_hash"], told["data_hash"])
    if found is None:
        return f"{told['name']} is not in the registry; run the same command again"
    aliases = ", ".join(found.aliases) or "no alias"
    return printable(f"{found.name} version {found.version} ({aliases}): {found.reason}")


def _read(stage: str) -> dict[str, Any]:
    path = METRICS / f"{stage}.json"
    return read_json(path) if path.is_file() else {}
