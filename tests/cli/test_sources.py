"""Videos of another source, or too few of them, as `reelflow run` and `import` take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkout import Checkout, make_project


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_project(tmp_path / "home" / "project")


def source(root: Path, **counts: int) -> Path:
    """Files in a folder per class; what is in them is no video, and never looked at here."""
    for label, count in counts.items():
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (root / label / f"{number}.mp4").write_text(f"{root.name} {label} {number}")
    return root


def tree(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("command", [("run", "--data"), ("import",)], ids=["run", "import"])
def test_another_source_is_not_taken_unasked(
    checkout: Checkout, tmp_path: Path, command: tuple[str, ...]
) -> None:
    checkout.call("reelflow", "import", str(source(tmp_path / "mine", hop=3, sit=3)))
    before = tree(checkout.root / "data")
    other = source(tmp_path / "wrong", jump=4, walk=4)
    done = checkout.call("reelflow", *command, str(other), check=False)
    assert done.returncode == 1
    assert done.stdout.count("6 taken out: 'hop/0.mp4', 'hop/1.mp4'") == 1
    assert "'sit/2.mp4'. Nothing was changed." in done.stdout
    assert "`--replace`" in done.stdout
    assert tree(checkout.root / "data") == before
    # With leave to replace, what cannot be run on is still found out before anything goes.
    few = source(tmp_path / "few", jump=4, walk=2)
    done = checkout.call("reelflow", "run", "--data", str(few), "--replace", check=False)
    assert done.returncode == 1
    assert done.stdout.count("walk has 2") == 1
    assert tree(checkout.root / "data") == before
    done = checkout.call("reelflow", "import", str(other), "--replace")
    assert "6 taken out: 'hop/0.mp4'" in done.stdout
    assert not (checkout.root / "data/raw/hop").exists()


def test_the_sample_gives_way_unasked(checkout: Checkout, tmp_path: Path) -> None:
    checkout.call("reelflow", "import", str(source(tmp_path / "made", disc=3, star=3)))
    note = checkout.root / ".reelflow/source.json"
    note.write_text(note.read_text().replace(str(tmp_path / "made"), "sample"))
    done = checkout.call("reelflow", "import", str(source(tmp_path / "mine", hop=3, sit=3)))
    assert "6 taken out: 'disc/0.mp4'" in done.stdout


def test_too_few_videos_are_said_at_import_and_before_any_stage_once(
    checkout: Checkout, tmp_path: Path
) -> None:
    few = source(tmp_path / "few", hop=5, sit=2)
    told = "Too few videos: sit has 2; ingest.min_videos_per_class asks for 3."
    dry = checkout.call("reelflow", "import", "--dry-run", str(few)).stdout
    assert dry.count(told) == 1
    assert "The pipeline would stop: Too few" in dry
    # More may be added before the run, so it is brought.
    assert checkout.call("reelflow", "import", str(few)).stdout.count(told) == 1
    done = checkout.call("reelflow", "run", check=False)
    assert done.returncode == 1
    assert done.stdout.count(told) == 1
    assert "ERROR" not in done.stdout
    assert "ingest:" not in done.stdout
    checkout.call("reelflow", "import", "--add", str(source(tmp_path / "more", sit=1)))
    checkout.set_params(ingest={"group_pattern": "/(?P<group>[0-2])"})
    checkout.set_params(validate={"min_groups_per_class": 4})
    done = checkout.call("reelflow", "run", check=False)
    assert "Too few groups: sit has 2; validate.min_groups_per_class" in done.stdout
