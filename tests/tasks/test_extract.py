from __future__ import annotations

import json
from pathlib import Path

from reelflow.store import FrameStore
from tasks import extract, ingest
from tests.conftest import MakeVideo


def test_the_stage_fills_the_store_with_the_frames_asked_for_in_params(
    project: Path, make_video: MakeVideo
) -> None:
    for number, label in enumerate(("run", "sit")):
        for seed in range(3):
            path = project / "data" / "raw" / label / f"{seed}.mp4"
            make_video(path, seed=seed + 10 * number, seconds=0.5)
    ingest.main()
    extract.main()
    store = FrameStore(Path("data/frames"))
    assert len(store.index) == 6
    for digest in store.index["hash"]:
        assert store.frames(str(digest)).shape == (16, 64, 64, 3)
    metrics = json.loads(Path("metrics/extract.json").read_text(encoding="utf-8"))
    # Five frames give sixteen by repeating eleven, which is said and not hidden.
    assert metrics["repeated_frames"] == 6 * 11
