"""Stage `extract`: T frames of every usable video, one unit a video, named by content.

Reads `data/manifest.parquet` and `data/raw/`; writes `data/frames/` (see `reelflow.store`) and
`metrics/extract.json`. The store persists between runs: units that are there are kept, so a new
video costs one decode, a changed label none, and a killed run goes on where it was; units that no
video asks for any more are removed at the end. Run alone with `python -m tasks.extract`.
"""

from __future__ import annotations

import logging

import pandas as pd

from reelflow.extraction import extract_missing, finish_store
from reelflow.files import write_json
from reelflow.params import load_section
from reelflow.params.extract import ExtractParams
from reelflow.video.clip import ClipSpec
from reelflow.video.ffmpeg import Bounds
from tasks.paths import FRAMES, MANIFEST, METRICS, PARAMS, RAW
from tasks.stage import run

log = logging.getLogger(__name__)


def main() -> None:
    params = load_section(PARAMS, ExtractParams)
    spec = ClipSpec(**{name: getattr(params, name) for name in ClipSpec.__dataclass_fields__})
    manifest = pd.read_parquet(MANIFEST)
    bounds = Bounds(params.timeout_s, params.memory_mb)
    done = extract_missing(manifest, RAW, FRAMES, spec, bounds, params.workers)
    index = finish_store(manifest, FRAMES, spec)
    write_json(METRICS / "extract.json", _metrics(index, spec))
    log.info(
        "%d clips of %d frames: %d new, %d kept", len(index), spec.frames, done, len(index) - done
    )


def _metrics(index: pd.DataFrame, spec: ClipSpec) -> dict[str, object]:
    return {
        "clips": len(index),
        "frames_per_clip": spec.frames,
        "height": spec.height,
        "width": spec.width,
        "repeated_frames": int(index["timestamps"].map(lambda t: len(t) - len(set(t))).sum()),
        "mean_brightness": round(float(index["brightness"].mean()), 4),
        "mean_change": round(float(index["change"].mean()), 4),
    }


if __name__ == "__main__":
    run("extract", main)
