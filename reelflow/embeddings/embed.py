"""Embedding videos: decoded and cut by processes side by side, looked at by one network here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelflow.backbones import backbone
from reelflow.base.errors import VideoError
from reelflow.base.parallel import ProcessDiedError, each
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.embeddings.statistics import Floats, statistic
from reelflow.embeddings.views import pictures_of
from reelflow.extraction.engines import Video, clips_of, no_clip
from reelflow.store.clip_spec import Clip
from reelflow.store.shards import Records
from reelflow.video.check import check_video
from reelflow.video.process_limits import Bounds

if TYPE_CHECKING:
    import keras

# Of each view, uint8 (T, size, size, 3).
Pictures = list[NDArray[np.uint8]]


def embed(
    videos: Iterable[Video],
    raw: Path,
    spec: EmbeddingSpec,
    cache: FeatureCache,
    bounds: Bounds,
    workers: int = 0,
) -> Iterator[tuple[Video, Records | VideoError]]:
    """The features of checked videos; only what is not kept yet is made, and then kept.

    Args:
        videos: each a path below `raw` and what `check_video` told of it.
        raw: folder of the videos.
        spec: of the features.
        cache: of this spec.
        bounds: limits of each decoder.
        workers: processes that decode at once, 0 for one a core.

    Yields:
        each video, those with kept features first, and a record with a field of float32 (N,) for
        each view, layer and statistic, `motion/conv_pw_13_relu/mean`; or why there is none. They
        are the same to the bit on one machine, whatever else is embedded with it, if
        `reelflow.base.determinism.deterministic` was called before TensorFlow was used.
    """
    missing = []
    for video in videos:
        kept = cache.get(video[1].hash)
        if kept is None:
            missing.append(video)
        else:
            yield video, kept
    if not missing:
        return
    model = network_of(spec)
    for video, views in each(partial(read_views, raw, spec, bounds), missing, workers):
        if isinstance(views, VideoError):
            yield video, views
        elif isinstance(views, ProcessDiedError):
            yield video, no_clip(video[0], "crash", "Decoding it killed its process.")
        else:
            features = features_of(views, model, spec)
            cache.keep(video[1].hash, features)
            yield video, features


def network_of(spec: EmbeddingSpec) -> keras.Model:
    """The backbone of a spec. Raises `ParamsError` as `reelflow.backbones.backbone`."""
    return backbone(
        spec.backbone,
        spec.layers,
        Path(spec.weights) if spec.weights else None,
        size=spec.size,
        download=spec.download,
    )


def read_views(
    raw: Path, spec: EmbeddingSpec, bounds: Bounds, video: Video
) -> Pictures | VideoError:
    """Decode a video once and cut all views, or say why that cannot be done."""
    clip = read_frames(raw, spec, bounds, video)
    if isinstance(clip, VideoError):
        return clip
    return [pictures_of(view, clip.frames, spec.size) for view in spec.views]


def read_frames(raw: Path, spec: EmbeddingSpec, bounds: Bounds, video: Video) -> Clip | VideoError:
    """The frames that views are cut from, each once, or why there are none."""
    clip = clips_of(raw, spec.clip_of(video[1]), bounds, [video])[0]
    if isinstance(clip, VideoError):
        return clip
    # A frame comes again where the video is too short, too slow, or damaged from there on. Between
    # two of the same there is no motion.
    times, first = np.unique(clip.timestamps, return_index=True)
    return Clip(clip.frames[first], times)


def features_of(views: Pictures, model: keras.Model, spec: EmbeddingSpec) -> Records:
    """The features of a clip, one record."""
    values: dict[str, Floats] = {}
    for view, pictures in zip(spec.views, views, strict=True):
        for layer, maps in maps_of(model, pictures, spec.frames).items():
            for name in spec.statistics:
                values[f"{view}/{layer}/{name}"] = statistic(name, maps)
    record = np.empty(1, [(name, np.float32, value.shape) for name, value in values.items()])
    for name, value in values.items():
        record[name] = value
    return record


def maps_of(model: keras.Model, pictures: NDArray[np.uint8], frames: int) -> dict[str, Floats]:
    """The maps of each layer, float32 (T, h, w, C). The network always sees so many frames, so that
    it is traced once and its sums are always ordered in the same way."""
    missing = [(0, frames - len(pictures))] + [(0, 0)] * 3
    batch = np.pad(pictures, missing, mode="edge")
    maps = model.predict_on_batch(batch)
    return {layer: maps[layer][: len(pictures)] for layer in maps}


class Embedder:
    """Embeds single files: what the registered model does with each video that it is asked about.

    Args:
        spec: of the features.
        bounds: limits of each decoder.
    """

    def __init__(self, spec: EmbeddingSpec, bounds: Bounds) -> None:
        self._spec, self._bounds = spec, bounds
        self._model = network_of(spec)

    def embed(self, path: Path) -> Records:
        """The features of a video, one record, the same as `embed` gives. Raises `VideoError`."""
        info = check_video(path, self._bounds)
        views = read_views(path.parent, self._spec, self._bounds, (path.name, info))
        if isinstance(views, VideoError):
            raise views
        return features_of(views, self._model, self._spec)
