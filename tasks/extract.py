"""Stage `extract`: T frames of every usable video, in shards that are named by content.

Reads `data/manifest.parquet` and the videos in `data/raw/` that it names by content; writes
`data/frames/` (see `reelflow.store.frame_store`), `data/quarantine_extract.csv` (a row a usable
video of which no clip can be made) and `metrics/extract.json`. Frames are made in
`.reelflow/frames/` and linked into the store: a new video costs one decode, a changed label none,
and a killed run goes on where it was. Run alone with `python -m tasks.extract`.
"""

from __future__ import annotations

import logging
import os

import numpy as np
import pyarrow as pa

from reelflow.base.csv_table import write_table
from reelflow.base.decoder_versions import decoders
from reelflow.base.errors import ParamsError, VideoError
from reelflow.base.files import write_json
from reelflow.extraction.decoded_cache import DecodedCache
from reelflow.extraction.engines import Engine, local_engine
from reelflow.extraction.fill_store import extract_missing, finish_store, wanted_shards
from reelflow.intake import quarantine
from reelflow.params import load_section
from reelflow.params.extract import ExtractParams
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.process_limits import Bounds
from tasks.common.dvc_outputs import committed_files
from tasks.common.paths import FRAMES, KEPT_FRAMES, MANIFEST, METRICS, NOT_EXTRACTED, PARAMS, RAW
from tasks.common.stage import run

log = logging.getLogger(__name__)

# The folder in which Dask's workers find the videos of data/raw, if it is another one.
RAW_FOR_WORKERS = "REELFLOW_RAW"


def main() -> None:
    """Decode the clips that are missing, and write every output."""
    params = load_section(PARAMS, ExtractParams)
    spec = clip_spec(params)
    present = {path.name: path for path in FRAMES.glob("*")}
    cache = DecodedCache(KEPT_FRAMES, spec, {**committed_files(FRAMES), **present})
    engine = _engine(params, spec)
    aside: dict[str, VideoError] = {}
    shards = wanted_shards(MANIFEST, spec)
    done = extract_missing(MANIFEST, shards, cache, engine, aside)
    if aside:
        shards = wanted_shards(MANIFEST, spec, aside)
        extract_missing(MANIFEST, shards, cache, engine, aside)
    write_table(NOT_EXTRACTED, quarantine.listed(aside.values()))
    index = finish_store(shards, cache, FRAMES, spec)
    write_json(METRICS / "extract.json", {**_metrics(index, spec), "quarantined": len(aside)})
    for error in aside.values():
        log.warning("set aside: %s", error)
    log.info(
        "%d clips of %d frames: %d new, %d kept", len(index), spec.frames, done, len(index) - done
    )


def clip_spec(params: ExtractParams) -> ClipSpec:
    """The clip that params ask for."""
    return ClipSpec(**{name: getattr(params, name) for name in ClipSpec.__dataclass_fields__})


def _engine(params: ExtractParams, spec: ClipSpec) -> Engine:
    bounds = Bounds(params.timeout_s, params.memory_mb)
    if params.engine == "local":
        return local_engine(RAW, KEPT_FRAMES, spec, bounds, params.workers)
    try:
        from reelflow.extraction.dask_engine import dask_engine
    except ModuleNotFoundError as error:
        raise ParamsError(
            f"extract.engine is dask, but {error.name} is not installed here. Install it with "
            "`pip install distributed`, or set extract.engine to local."
        ) from None
    raw = os.environ.get(RAW_FOR_WORKERS) or str(RAW.resolve())
    return dask_engine(raw, KEPT_FRAMES, spec, bounds, params.workers)


def _metrics(index: pa.Table, spec: ClipSpec) -> dict[str, object]:
    times = np.sort(np.stack(index["timestamps"].to_numpy()), axis=1)
    return {
        "decoders": decoders(),
        "clips": len(index),
        "frames_per_clip": spec.frames,
        "stored_frames_per_clip": spec.stored_shape[0],
        "height": spec.height,
        "width": spec.width,
        "repeated_frames": int((np.diff(times, axis=1) == 0).sum()),
        "mean_brightness": round(float(index["brightness"].to_numpy().mean()), 4),
        "mean_change": round(float(index["change"].to_numpy().mean()), 4),
    }


if __name__ == "__main__":
    run("extract", main)
