"""Stage `ingest`: find the labelled videos, decode each to its end, set aside what is broken.

Reads `data/raw/`. Writes `data/manifest.parquet` (a row a usable video), `data/quarantine.csv`
(a row a file left out, with the reason and the remedy), `data/near_duplicates.csv` (a row a pair of
usable videos that look the same) and `metrics/ingest.json`. No video is moved, changed or deleted.
Run alone with `python -m tasks.ingest`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reelflow.base.csv_table import write_table
from reelflow.base.decoder_versions import decoders
from reelflow.base.errors import DataError, UnavailableError, VideoError
from reelflow.base.files import replacing, write_json
from reelflow.base.words import some
from reelflow.dataset import near_duplicates
from reelflow.dataset.catalogue import Catalogue, catalogue, class_counts, too_few
from reelflow.dataset.check_cache import CheckCache
from reelflow.dataset.fingerprints import keys
from reelflow.dataset.near_duplicates import Pair
from reelflow.intake.quarantine import DUPLICATE
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.intake.scan_folder import let_through, set_aside
from reelflow.params import load_section
from reelflow.params.ingest import IngestParams
from reelflow.video.damage_policy import Policy
from reelflow.video.file_changed import stamps_below
from reelflow.video.process_limits import Bounds
from tasks.common.paths import (
    MANIFEST,
    METRICS,
    NEAR_DUPLICATES,
    PARAMS,
    QUARANTINE,
    RAW,
    RESERVED,
    STATE,
)
from tasks.common.stage import run

log = logging.getLogger(__name__)


def main() -> None:
    """Check the videos, write every output, and stop if they cannot be learned from."""
    params = load_section(PARAMS, IngestParams)
    before = stamps_below(RAW)
    videos = list_videos(RAW, params.group_pattern)
    bounds = Bounds(params.timeout_s, params.memory_mb, params.max_file_gb)
    policy = Policy(params.undecodable, params.max_repeated_share)
    links_to = [Path(folder) for folder in params.links_to]
    aside = set_aside(RAW, links_to, most_bytes=bounds.most_bytes, reserved=RESERVED)
    videos = list(let_through(videos, aside))
    with CheckCache(STATE / "checks.sqlite") as cache:
        found = catalogue(
            RAW, videos, bounds, params.workers, cache, links_to=links_to, policy=policy, odd=aside
        )
        pairs = _near_duplicates(found.manifest, cache, params.min_likeness)
    # Written before the data as a whole is judged, so that a person can look at it.
    write_table(QUARANTINE, found.quarantine)
    _refuse_written(before, aside)
    _judge(found, params)
    sets = found.manifest["hash"].map(near_duplicates.sets(pairs))
    _write_manifest(MANIFEST, found.manifest.assign(alike=sets))
    listed = _named(pairs, found.manifest)
    write_table(NEAR_DUPLICATES, listed)
    write_json(METRICS / "ingest.json", {**_metrics(found), "near_duplicates": int(sets.count())})
    _refuse_written(before, aside)
    log.info(
        "%d usable videos of %d classes, %d set aside (%s)",
        len(found.manifest),
        found.manifest["label"].nunique(),
        len(found.bad),
        QUARANTINE,
    )
    if len(listed):
        log.info("%d videos look like another one (%s)", sets.count(), NEAR_DUPLICATES)
    for row in found.filled.to_dict("records"):
        log.warning(
            "repeat_last: %s is damaged; frame %d stands for the %d after it",
            row["path"],
            row["intact"],
            row["frames"] - row["intact"],
        )


def _refuse_written(before: dict[str, str], aside: Iterable[VideoError]) -> None:
    """Raise `UnavailableError` if a file came, went or changed meanwhile. DVC notes the folder as
    it is after the stage, and would not run it again. Files that were set aside do not count."""
    after = stamps_below(RAW)
    paths = (before.keys() | after.keys()) - {error.path for error in aside}
    odd = sorted(path for path in paths if before.get(path) != after.get(path))
    if odd:
        raise UnavailableError(
            f"{some(odd)} changed in {RAW} while the videos were checked. Do not write there while "
            "the pipeline runs. Run the same command again: what was found out is kept."
        )


def _near_duplicates(manifest: pd.DataFrame, cache: CheckCache, least: float) -> list[Pair]:
    if least == 1:
        return []
    found = {digest: keys(cache.pictures_of(digest)) for digest in manifest["hash"]}
    return near_duplicates.find(found, cache.pictures_of, least)


def _named(pairs: list[Pair], manifest: pd.DataFrame) -> pd.DataFrame:
    """Pairs by path, sorted."""
    path = dict(zip(manifest["hash"], manifest["path"], strict=True))
    rows = []
    for pair in pairs:
        one, other, shift = path[pair.one], path[pair.other], pair.shift
        if other < one:
            one, other, shift = other, one, -shift
        rows.append((one, other, pair.likeness, shift + 0.0, str(pair.mirrored).lower()))
    return pd.DataFrame(sorted(rows), columns=["path", "other", "likeness", "shift_s", "mirrored"])


def _judge(found: Catalogue, params: IngestParams) -> None:
    """Raise `DataError` where the videos as a whole cannot be learned from."""
    if params.undecodable == "error" and len(found.bad):
        first = found.bad.iloc[0]
        raise DataError(
            f"{first['path']}: {first['reason']} It is one of {len(found.bad)} files that cannot "
            "be used, and ingest.undecodable is error. Each is listed with its reason and remedy "
            f"in {QUARANTINE}. Mend or remove them, or set ingest.undecodable to quarantine in "
            f"{PARAMS}."
        )
    total = len(found.manifest) + len(found.bad)
    share = len(found.bad) / total
    if share > params.max_quarantined_share:
        codes = ", ".join(f"{n} {code}" for code, n in class_counts(found.bad["code"]).items())
        raise DataError(
            f"{len(found.bad)} of {total} files cannot be used ({share:.0%}; {codes}), more than "
            f"ingest.max_quarantined_share allows ({params.max_quarantined_share:.0%}). Each is "
            f"listed with its reason and remedy in {QUARANTINE}. Mend or remove them, or raise the "
            f"share in {PARAMS}."
        )
    asked_by = "ingest.min_videos_per_class"
    if few := too_few(found.manifest["label"], params.min_videos_per_class, asked_by):
        raise DataError(f"{few} {QUARANTINE} lists files that could be repaired.")


def _write_manifest(path: Path, manifest: pd.DataFrame) -> None:
    """Write the manifest. Times of frames are stored as differences, which are constant for most
    videos: a byte each or less instead of eight."""
    text = [name for name in manifest.columns if name not in _TYPES]
    schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in manifest.columns])
    table = pa.Table.from_pandas(manifest, schema=schema, preserve_index=False)
    with replacing(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            use_dictionary=text,
            column_encoding={"pts.list.element": "DELTA_BINARY_PACKED"},
        )


_TYPES = {
    **dict.fromkeys(("bytes", "frames", "intact"), pa.int64()),
    **dict.fromkeys(("width", "height", "rotation", "stream", "duplicates"), pa.int32()),
    **dict.fromkeys(("fps", "start", "duration"), pa.float64()),
    "pts": pa.list_(pa.int64()),
}


def _metrics(found: Catalogue) -> dict[str, object]:
    manifest = found.manifest
    return {
        "decoders": decoders(),
        "videos": len(manifest),
        "quarantined": len(found.bad),
        "repeat_last": len(found.filled),
        "repeated_frames": int((found.filled["frames"] - found.filled["intact"]).sum()),
        "duplicates": int((found.quarantine["code"] == DUPLICATE).sum()),
        "classes": class_counts(manifest["label"]),
        "groups": int(manifest["group"].nunique()),
        "seconds_of_video": round(float(manifest["duration"].sum()), 3),
    }


if __name__ == "__main__":
    run("ingest", main)
