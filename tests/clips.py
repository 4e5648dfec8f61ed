"""Clips of many videos, one after the other, as a stage reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reelflow.base.errors import VideoError
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.process_limits import Bounds


def read_clips(
    videos: Sequence[tuple[Path, VideoInfo]], spec: ClipSpec, bounds: Bounds
) -> list[Clip | VideoError]:
    """For each video its clip, or what `read_clip` raises for it."""
    answers: list[Clip | VideoError] = []
    for path, info in videos:
        try:
            answers.append(read_clip(path, spec, bounds, info=info, among_many=len(videos) > 1))
        except VideoError as error:
            answers.append(error)
    return answers
