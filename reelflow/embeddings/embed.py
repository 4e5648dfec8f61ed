"""Embedding videos: decoded and cut by threads side by side, looked at by networks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelflow.backbones import backbone
from reelflow.base.errors import VideoError
from reelflow.base.parallel import each
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.flow_statistics import FLOW_BLOCK, flow_statistics
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.embeddings.statistics import Floats, statistic
from reelflow.embeddings.views import box_of, cut
from reelflow.extraction.engines import Video, clip_of, or_error
from reelflow.store.clip_spec import Clip
from reelflow.store.shards import Records, as_record
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

if TYPE_CHECKING:
    import keras

# Frames that a network looks at in one go. Always so many, the last one again where there are
# fewer: it is traced once and its sums are always ordered in the same way.
_BATCH = 8


class Seen(NamedTuple):
    """What features are made of: of each view its pictures, uint8 (T, size, size, 3), and the
    statistics of flow, float32 (N,), if they are asked for."""

    views: dict[str, NDArray[np.uint8]]
    flow: Floats | None


def embed(
    videos: Iterable[Video],
    raw: Path,
    spec: EmbeddingSpec,
    cache: FeatureCache,
    bounds: Bounds,
    workers: int = 0,
) -> Iterator[tuple[Video, VideoError | None]]:
    """Make the features of checked videos and keep them.

    The features are the same to the bit on one machine, whatever else is embedded with them, if
    `reelflow.base.determinism.deterministic` was called before TensorFlow was used.

    Args:
        videos: each a path below `raw` and what `check_video` found in it.
        raw: folder of the videos.
        spec: of the features.
        cache: of this spec; gets a record a video, with a field of float32 (N,) for each view,
            layer and statistic, `motion/conv_pw_13_relu/mean`.
        bounds: limits of each decoder.
        workers: videos decoded at once, 0 for one a core.

    Yields:
        each video, and why it has no features, if it has none.
    """
    networks = networks_of(spec)
    work = partial(or_error, partial(read_views, raw, spec, bounds))
    for video, seen in each(work, videos, workers):
        if isinstance(seen, VideoError):
            yield video, seen
            continue
        cache.keep(video[1].hash, features_of(seen, networks, spec))
        yield video, None


def networks_of(spec: EmbeddingSpec) -> list[keras.Model]:
    """The network of each look of a spec. Raises `ParamsError` as `reelflow.backbones.backbone`."""
    return [
        backbone(
            look.backbone,
            look.layers,
            Path(look.weights) if look.weights else None,
            size=spec.size,
            download=look.download,
        )
        for look in spec.looks
    ]


def read_views(raw: Path, spec: EmbeddingSpec, bounds: Bounds, video: Video) -> Seen:
    """Decode a video once and cut all views. Raises `VideoError` as `clip_of`."""
    clip = read_frames(raw, spec, bounds, video)
    views = {view: cut(clip.frames, box_of(view, clip.frames), spec.size) for view in spec.views}
    return Seen(views, flow_statistics(clip.frames, clip.timestamps) if spec.flow else None)


def read_frames(raw: Path, spec: EmbeddingSpec, bounds: Bounds, video: Video) -> Clip:
    """The frames that views are cut from, each once. Raises `VideoError` as `clip_of`."""
    clip = clip_of(raw, spec.clip_of(video[1]), bounds, video)
    # A frame comes again where the video is too short, too slow, or damaged from there on. Between
    # two of the same there is no motion.
    times, first = np.unique(clip.timestamps, return_index=True)
    return Clip(clip.frames[first], times)


def features_of(seen: Seen, networks: Sequence[keras.Model], spec: EmbeddingSpec) -> Records:
    """The features of a clip, one record."""
    values: dict[str, Floats] = {}
    for look, network in zip(spec.looks, networks, strict=True):
        for view in look.views:
            for layer, maps in maps_of(network, seen.views[view]).items():
                for name in look.statistics:
                    values[f"{view}/{layer}/{name}"] = statistic(name, maps).astype(np.float32)
    if seen.flow is not None:
        values[FLOW_BLOCK] = seen.flow
    return as_record(values)


def maps_of(network: keras.Model, pictures: NDArray[np.uint8]) -> dict[str, Floats]:
    """The maps of each layer, float32 (T, h, w, C)."""
    missing = [(0, -len(pictures) % _BATCH)] + [(0, 0)] * 3
    padded = np.pad(pictures, missing, mode="edge")
    parts = [
        network.predict_on_batch(padded[at : at + _BATCH]) for at in range(0, len(padded), _BATCH)
    ]
    return {
        layer: np.concatenate([part[layer] for part in parts])[: len(pictures)]
        for layer in parts[0]
    }


class Embedder:
    """Embeds single files: what the registered model does with each video that it is asked about.

    Args:
        spec: of the features.
        blocks: those that are wanted; networks that none of them needs are not loaded.
        bounds: limits of each decoder.
    """

    def __init__(self, spec: EmbeddingSpec, blocks: Collection[str], bounds: Bounds) -> None:
        self._spec, self._bounds = spec.only(blocks), bounds
        self._networks = networks_of(self._spec)

    def embed(self, path: Path) -> Records:
        """The features of a video, one record, the same as `embed` gives. Raises `VideoError`."""
        info = check_video(path, self._bounds)
        seen = read_views(path.parent, self._spec, self._bounds, (path.name, info))
        return features_of(seen, self._networks, self._spec)
