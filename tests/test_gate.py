"""The real commands on folders that hold what nobody may read, to a registered model."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from reelflow.sample import write_sample
from tests.checkout import TINY, Checkout, make_project
from tests.flows.prefect_api import PrefectApi
from tests.planted import ODD, assert_untouched, plant

pytestmark = pytest.mark.slow

LABELS = {"disc_bobbing": "[/bold]", "disc_climbing": ":smile:\x1b]0;owned\x07"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 good clips of six classes, no csv."""
    root = tmp_path_factory.mktemp("clips") / "good"
    write_sample(root, clips_per_class=4, groups=4)
    for path in (*root.glob("*/broken_*"), *root.glob("*.*")):
        path.unlink()
    return root


def project(root: Path, clips: Path, into: str = "data/raw") -> Checkout:
    made = make_project(root)
    made.set_params(**TINY, ingest={"max_quarantined_share": 0.5})
    shutil.copytree(clips, made.root / into)
    return made


def quarantine(made: Checkout) -> dict[str, str]:
    with (made.root / "data/quarantine.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["code"] for row in csv.DictReader(file)}


def test_run_on_a_folder_with_what_nobody_may_read_ends_in_a_registered_model(
    tmp_path: Path, clips: Path, prefect_api: PrefectApi
) -> None:
    made = project(tmp_path / "project", clips).served(prefect_api)
    secret = tmp_path / "outside/key"
    plant(made.root / "data/raw/disc_bobbing", secret)
    told = made.call("reelflow", "run").stdout
    assert "reelflow version 1 (challenger, champion)" in told
    assert "set aside in data/raw: disc_bobbing/fifo.mp4: It is a pipe (FIFO)." in told
    assert f"set aside     {len(ODD)} files" in told
    shown = {
        f"disc_bobbing/{name}".encode("utf-8", "backslashreplace").decode(): code
        for name, code in ODD.items()
    }
    assert quarantine(made) == shown
    assert_untouched(secret, made.root)
    assert (made.root / "data/raw/disc_bobbing/far.mp4").is_symlink()
    assert "Nothing changed" in made.call("reelflow", "run").stdout
    assert "up to date" in made.dvc("status")

    inbox = made.root / "data/inbox/disc_bobbing"
    plant(inbox, secret)
    told = made.call("reelflow", "retrain").stdout
    assert "0 new, 0 known" in told
    assert "left in data/inbox: disc_bobbing/sparse.mp4" in told
    assert_untouched(secret, made.root)


def test_labels_and_names_cannot_command_a_terminal_nor_stop_the_summary(
    tmp_path: Path, clips: Path, prefect_api: PrefectApi
) -> None:
    made = project(tmp_path / "project", clips, into="mine").served(prefect_api)
    mine, secret = made.root / "mine", tmp_path / "outside/key"
    (mine / "disc_sinking/clip_001.mov").rename(mine / "disc_sinking/\x1b]0;owned\x07.mov")
    plant(mine / "disc_sinking", secret)
    paths = [path for path in sorted(mine.rglob("*")) if path.suffix in (".mov", ".mkv", ".avi")]
    paths += [mine / "disc_sinking" / name for name in ("fifo.mp4", "far.mp4", "loop.mp4")]
    with (mine / "videos.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label"])
        for path in paths:
            name = path.relative_to(mine)
            rows.writerow([name.as_posix(), LABELS.get(name.parts[0], name.parts[0])])
    told = made.call("reelflow", "run", "--data", "mine").stdout
    assert "reelflow version 1 (challenger, champion)" in told
    assert "[/bold]" in told
    assert ":smile:" in told
    assert "set aside in mine: disc_sinking/loop.mp4" in told
    assert "\x1b" not in told
    assert "\x07" not in told
    assert_untouched(secret, made.root)
    again = made.call("reelflow", "import", "mine", "--dry-run").stdout
    assert "18 already there" in again
    assert "\x1b" not in again
