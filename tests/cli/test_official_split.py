"""An official split without a test: what `reelflow import` says of it, and what it offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.intake.videos_csv import known_videos
from tests.checkout import make_project


@pytest.mark.parametrize("word", ["validate", "Dev"])
def test_a_made_up_test_is_said_and_the_official_validation_can_be_the_test(
    tmp_path: Path, word: str
) -> None:
    project = make_project(tmp_path / "project")
    source = tmp_path / "set"
    rows = [
        (f"{label}/{i}.mp4", label, word if i > 2 else "train") for label in "ab" for i in range(5)
    ]
    for name, _, _ in rows:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(name.encode())
    lines = ["path,label,split", *(",".join(row) for row in rows)]
    (source / "videos.csv").write_text("\n".join(lines))

    said = project.call("reelflow", "import", str(source), "--dry-run").stdout
    offer = "--split-value validation=test"
    assert "has no test (train and validation alone): the test is drawn from its training" in said
    assert offer in said

    # The word of the source does, too.
    for option in (offer, f"--split-value {word}=test"):
        said = project.call("reelflow", "import", str(source), *option.split()).stdout
        assert "has no test" not in said
        splits = {name: v.split for name, v in known_videos(project.root / "data/raw").items()}
        assert splits == {name: "train" if split == "train" else "test" for name, _, split in rows}
