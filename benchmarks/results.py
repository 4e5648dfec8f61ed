"""What each network reaches on groups that it has not seen, on several sets: docs/results.md.

    make results                                     # the sample alone
    make results SETS="fights=/path people=/path"    # and sets of your own

Each set gets a clone of this repository under `.reelflow/results/`, in which `reelflow crossval` is
called for each network, as a person would. What was measured by the present code is not measured
again, so a call that was stopped goes on, and rows of the page that are not asked for stay. A set
of at most a dozen groups is judged by leaving one group out, a larger one by stratified group
folds. Networks from scratch are repeated less often than a linear head: they take minutes a fold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from reelflow.base.terminal import say
from reelflow.networks import NETWORKS, reads
from reelflow.networks.transfer import CANDIDATES

PLACE = Path(".reelflow/results")
DOCS = Path("docs/results.md")
SAMPLE = "sample"
FILES = "no picture: files alone"
MOST_ONE_OUT = 12
HEAD = "| set | network | accuracy | interval | constant | folds | parameters | core-s a fold |"
FEATURES = "| set | features of `transfer` | accuracy | interval |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="NAME=PATH", help="labelled videos")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5, help="of what learns from embeddings")
    parser.add_argument("--scratch-repeats", type=int, default=1, help="of networks on frames")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--no-sample", action="store_true", help="leave the sample out")
    parser.add_argument("--no-features", action="store_true", help="leave that table out")
    parser.add_argument("--docs", action="store_true", help=f"write {DOCS}")
    asked = parser.parse_args()
    sets = {} if asked.no_sample else {SAMPLE: None}
    sets.update(each.split("=", 1) for each in asked.sets)
    # First what serves best.
    order = sorted(asked.networks, key=lambda name: reads(name) == "frames")
    tables = {"networks": Table(HEAD), "features": Table(FEATURES)}
    for name, data in sets.items():
        checkout = Checkout(name, data)
        found: list[tuple[str, Callable[[], str]]] = [
            ("networks", partial(checkout.row, network, asked)) for network in order
        ]
        found.append(("networks", checkout.row_of_files))
        if not asked.no_features:
            of = checkout.row_of_features
            found += [("features", partial(of, each, asked)) for each in CANDIDATES]
        for table, row in found:
            tables[table].add(row())
            if asked.docs:
                write(tables)


class Table:
    """Rows of a table in Markdown, each known by its first two cells: the set, and what."""

    def __init__(self, head: str) -> None:
        self.head = head
        self.rows: dict[tuple[str, ...], str] = {}

    def add(self, row: str) -> None:
        say(row)
        self.rows[_name(row)] = row

    def added_to(self, rows: Sequence[str]) -> str:
        """The table with the rows that it had, where they were not measured again."""
        all_rows = {**{_name(row): row for row in rows}, **self.rows}
        sets = list(dict.fromkeys(of for of, _ in all_rows))
        ordered = sorted(all_rows, key=lambda name: (sets.index(name[0]), name[1] == FILES))
        line = "|" + "---|" * (self.head.count("|") - 1)
        return "\n".join([self.head, line, *(all_rows[name] for name in ordered)])


def _name(row: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row.split("|")[1:3])


def write(tables: Mapping[str, Table]) -> None:
    """Write the tables into the page, each between its marks."""
    text = DOCS.read_text(encoding="utf-8")
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, after = text.split(begin)
        known, after = after.split(end)
        text = f"{before}{begin}{table.added_to(known.splitlines()[2:])}\n{end}{after}"
    DOCS.write_text(text, encoding="utf-8")


class Checkout:
    """A clone of this repository with one set of videos."""

    def __init__(self, name: str, data: str | None) -> None:
        self.name, self.data = name, None if data is None else str(Path(data).absolute())
        self.root = PLACE.absolute() / name
        if not self.root.exists():
            self.root.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["git", "clone", "-q", ".", self.root], check=True)
        else:
            # The code that is measured is the one that is here.
            subprocess.run(["git", "fetch", "-q", Path.cwd(), "HEAD"], cwd=self.root, check=True)
            subprocess.run(
                ["git", "reset", "-q", "--hard", "FETCH_HEAD"], cwd=self.root, check=True
            )

    def row(self, network: str, asked: argparse.Namespace) -> str:
        """A row of the table of networks."""
        repeats = asked.scratch_repeats if reads(network) == "frames" else asked.repeats
        found = self._crossval(network, asked.folds, repeats)
        folds = pd.read_csv(self.root / "reports/crossval.csv")
        sizes = folds["parameters"].min(), folds["parameters"].max()
        cells = [
            f"`{network}`",
            *_accuracy(found),
            f"{found['baseline_accuracy']:.3f}",
            f"{found['folds'] // found['repeats']} × {found['repeats']}",
            f"{sizes[0]:,}" + (f" to {sizes[1]:,}" if sizes[0] < sizes[1] else ""),
            f"{folds['core_seconds'].median():.0f}",
        ]
        return self._row(cells)

    def row_of_features(self, candidate: str, asked: argparse.Namespace) -> str:
        """A row of the table of features, each alone: what gave what."""
        found = self._crossval("transfer", asked.folds, asked.repeats, candidate)
        return self._row([candidate, *_accuracy(found)])

    def row_of_files(self) -> str:
        """How well the class can be told from properties of the files, without a picture."""
        told = json.loads((self.root / "metrics/validate.json").read_text())["told"]
        best = max(told.values(), key=lambda one: one["share"], default=None)
        share = "–" if best is None else f"{best['share']:.3f}"
        ends = "–" if best is None else f"{best['low']:.2f}–{best['high']:.2f}"
        return self._row([FILES, share, ends, "", "", "", ""])

    def _row(self, cells: Sequence[str]) -> str:
        return "| " + " | ".join([self.name, *cells]) + " |"

    def _crossval(
        self, network: str, folds: int, repeats: int, features: str = "auto"
    ) -> dict[str, Any]:
        params = yaml.safe_load(subprocess.check_output(["git", "show", "HEAD:params.yaml"]))
        params["train"]["transfer"]["features"] = features
        (self.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        command = ["crossval", "--network", network]
        command += ["--leave-one-group-out"] if self._few_groups() else []
        command += ["--folds", str(folds), "--repeats", str(1 if self._few_groups() else repeats)]
        command += ["--data", self.data] if self.data else []
        say(f"{self.name}: {' '.join(command)}")
        call(self.root, *command)
        found: dict[str, Any] = json.loads((self.root / "metrics/crossval.json").read_text())
        return found

    def _few_groups(self) -> bool:
        return len(set(self._groups())) <= MOST_ONE_OUT

    def _groups(self) -> Iterator[str]:
        """The groups of the set; the sample has forty."""
        if self.data is None:
            yield from map(str, range(40))
            return
        table = Path(self.data)
        table = table if table.is_file() else table / "videos.csv"
        if not table.is_file():
            raise SystemExit(f"{self.name}: {table} is needed, with a column `group`.")
        yield from pd.read_csv(table, dtype=str)["group"]


def call(root: Path, *arguments: str) -> None:
    """Call `reelflow` in a clone, by the code that is there."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run(command, cwd=root, env=environment, check=True)


def _accuracy(found: dict[str, Any]) -> list[str]:
    spread = found["accuracy_deviation"]
    return [
        f"{found['accuracy']:.3f}" + ("" if spread is None else f" ± {spread:.3f}"),
        f"{found['accuracy_low']:.2f}–{found['accuracy_high']:.2f}",
    ]


if __name__ == "__main__":
    main()
