"""What `flow`, trained from scratch, reaches where no test had a say in its learning rate.

    python -m benchmarks.nested_search /path/to/fights

Whole groups are dealt into folds. For each fold a clone of this repository, in a folder of
`.reelflow/nested/` named after the set and the number of folds, gets all videos, those of the fold
as their official test: `reelflow search` chooses the learning rate by folds of the others, and
`reelflow run` trains with it and tests once. Frames are those that docs/training.md gives for
`flow`; all else stands in params.yaml. A fold that was tested is not tested again. Prints a row a
fold, and all together with an interval over groups.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import yaml
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.results import call
from reelflow.crossval.figures import figures
from reelflow.evaluation.intervals import Bootstrap

PLACE = Path(".reelflow/nested").absolute()
RATES = [0.002, 0.01]
INNER_FOLDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, help="a folder with videos.csv: path, label, group")
    parser.add_argument("--folds", type=int, default=3)
    asked = parser.parse_args()
    place = PLACE / f"{asked.videos.resolve().name}-{asked.folds}"
    if not (place / "videos").exists():
        shutil.copytree(asked.videos, place / "videos")
    table = pd.read_csv(asked.videos / "videos.csv")
    deal = StratifiedGroupKFold(asked.folds, shuffle=True, random_state=0)
    rows = ["| fold | learning rate | groups | videos | accuracy |", "|---|---|---|---|---|"]
    answers = []
    for fold, (_, left_out) in enumerate(deal.split(table, table["label"], table["group"])):
        table["split"] = "train"
        table.loc[left_out, "split"] = "test"
        found, rate = of_fold(place, fold, table)
        rows.append(f"| {fold} | {rate:g} | {cells(found)} |")
        answers.append(found)
    every = pd.concat(answers)
    rows.append(f"| all | | {cells(every)} |")
    print("\n".join(rows))
    whole = figures(every, sorted(every["label"].unique()), Bootstrap())
    print(f"interval over groups: {whole['accuracy_low']:.2f} to {whole['accuracy_high']:.2f}")


def of_fold(place: Path, fold: int, table: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The answers to the videos of the fold, and the learning rate that was chosen."""
    root, listing = place / str(fold), place / "videos" / f"fold-{fold}.csv"
    if not (root / "metrics/register.json").exists():
        table.to_csv(listing, index=False)
        if not root.exists():
            subprocess.run(["git", "clone", "-q", ".", root], check=True)
            set_params(root / "params.yaml")
        search = ("search", "--network", "flow", "--trials", str(len(RATES)), "--write")
        call(root, *search, "--data", str(listing))
        call(root, "run")
    found = pd.read_csv(root / "reports/predictions.csv", dtype={"group": str})
    found["right"] = found["predicted"] == found["label"]
    card = json.loads((root / "models/model.json").read_text())
    return found.assign(repeat=1, fold=fold), float(card["params"]["learning_rate"])


def set_params(file: Path) -> None:
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    params["extract"].update(frames=24, sampler="fps", rate=12.5, region="motion")
    params["train"].update(network="flow", flip=True)
    params["search"].update(folds=INNER_FOLDS, space={"network": ["flow"], "learning_rate": RATES})
    file.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def cells(answers: pd.DataFrame) -> str:
    return f"{answers['group'].nunique()} | {len(answers)} | {answers['right'].mean():.3f}"


if __name__ == "__main__":
    main()
