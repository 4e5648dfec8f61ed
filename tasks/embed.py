"""Stage `embed`: what a pretrained network sees in every video, as a few thousand numbers.

Reads `data/manifest.parquet` and the videos in `data/raw/` that it names by content; writes
`data/embeddings/` (see `reelflow.store.embedding_store`) and `metrics/embed.json`. Where the
network of `train` reads frames, nothing is embedded and the store is empty. Features are kept in
`.reelflow/features/`: a new video costs one pass through the network, and a killed run goes on
where it was. Run alone with `python -m tasks.embed`.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reelflow.base.decoder_versions import decoders
from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError, VideoError
from reelflow.base.files import write_json
from reelflow.base.progress import track
from reelflow.embeddings.embed import embed
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.spec import EmbeddingSpec, Look
from reelflow.extraction.engines import videos_of
from reelflow.networks import reads
from reelflow.params import load_section
from reelflow.params.embed import EmbedParams
from reelflow.params.train import TrainParams
from reelflow.store.embedding_store import EmbeddingStore, write_embeddings
from reelflow.store.shards import Records
from reelflow.video.process_limits import Bounds
from tasks.common.extracted_videos import extracted_videos
from tasks.common.paths import EMBEDDINGS, KEPT_FEATURES, MANIFEST, METRICS, PARAMS, RAW
from tasks.common.stage import run

log = logging.getLogger(__name__)


def main() -> None:
    """Embed what is not kept yet, and write the store."""
    params = load_section(PARAMS, EmbedParams)
    network = load_section(PARAMS, TrainParams).network
    if reads(network) != "frames":
        _embed(params)
    else:
        write_embeddings(EMBEDDINGS, {}, [], [])
        log.info("%s reads frames: nothing is embedded", network)
    store = EmbeddingStore(EMBEDDINGS)
    write_json(
        METRICS / "embed.json",
        {"decoders": decoders(), "videos": len(store.hashes), "blocks": store.blocks},
    )


def _embed(params: EmbedParams) -> None:
    spec = embedding_spec(params)
    cache = FeatureCache(KEPT_FEATURES, spec)
    hashes = sorted(extracted_videos()["hash"])
    missing = [video for video in hashes if cache.get(video) is None]
    failed: dict[str, VideoError] = {}
    if missing:
        deterministic()
        videos = videos_of(MANIFEST, missing)
        bounds = Bounds(params.timeout_s, params.memory_mb)
        answers = embed(videos, RAW, spec, cache, bounds, params.workers)
        for (_, info), wrong in track(answers, len(missing), "embedding videos"):
            if wrong:
                failed[info.hash] = wrong
    if failed and len(failed) == len(hashes):
        raise DataError(f"No video could be embedded: {next(iter(failed.values()))}")
    for error in failed.values():
        log.warning("has no embedding, so that nothing learns from it: %s", error)
    whole = [video for video in hashes if video not in failed]
    records = (_fields(cache.get(video)) for video in whole)
    write_embeddings(EMBEDDINGS, spec.to_dict(), whole, records)
    log.info(
        "%d videos: %d new, %d kept",
        len(whole),
        len(missing) - len(failed),
        len(hashes) - len(missing),
    )


def embedding_spec(params: EmbedParams) -> EmbeddingSpec:
    """The features that params ask for."""
    spec = EmbeddingSpec(rate=params.rate, frames=params.frames)
    if not params.backbone:
        return spec
    own = Look(params.backbone, (), params.weights, params.download)
    return replace(spec, looks=(own,))


def _fields(record: Records | None) -> dict[str, NDArray[np.float32]]:
    if record is None:
        raise DataError(f"{KEPT_FEATURES} lost files while this ran: run the same command again.")
    return {name: record[name][0] for name in record.dtype.names or ()}


if __name__ == "__main__":
    run("embed", main)
