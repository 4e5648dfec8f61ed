"""The readers that benchmarks/extract.py compares: each takes jobs and gives RGB uint8 clips."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.dataset.catalogue import check_one
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.ffmpeg import ffmpeg_exe
from reelflow.video.process_limits import Bounds
from tests.clips import read_clips

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Job:
    """A video and what is wanted of it; `indices` are the frames that `spec` takes."""

    path: Path
    spec: ClipSpec
    info: VideoInfo
    indices: tuple[int, ...]


def reelflow(jobs: Sequence[Job]) -> Iterator[Frames]:
    videos = [(job.path, job.info) for job in jobs]
    for clip in read_clips(videos, jobs[0].spec, Bounds(timeout_s=600)):
        if isinstance(clip, VideoError):
            raise clip
        yield clip.frames


def opencv(jobs: Sequence[Job]) -> Iterator[Frames]:
    """Grabs every frame up to the last wanted one and converts the wanted: exact, and quicker than
    its seeking."""
    import cv2

    for job in jobs:
        video = cv2.VideoCapture(str(job.path))
        wanted, frames = set(job.indices), []
        for at in range(job.indices[-1] + 1):
            assert video.grab()
            if at in wanted:
                picture = video.retrieve()[1]
                small = cv2.resize(
                    picture, (job.spec.width, job.spec.height), interpolation=cv2.INTER_AREA
                )
                frames.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
        video.release()
        yield np.stack(frames)


def pyav(jobs: Sequence[Job]) -> Iterator[Frames]:
    """Decodes up to the last wanted frame, with threads as its documentation advises."""
    import av

    for job in jobs:
        wanted, frames = set(job.indices), []
        with av.open(str(job.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for at, picture in enumerate(container.decode(stream)):
                if at in wanted:
                    small = picture.reformat(
                        job.spec.width, job.spec.height, "rgb24", interpolation="AREA"
                    )
                    frames.append(small.to_ndarray())
                if at == job.indices[-1]:
                    break
        yield np.stack(frames)


def decord(jobs: Sequence[Job]) -> Iterator[Frames]:
    from decord import VideoReader

    for job in jobs:
        video = VideoReader(str(job.path), width=job.spec.width, height=job.spec.height)
        yield video.get_batch(list(job.indices)).asnumpy()


def ffmpeg(jobs: Sequence[Job]) -> Iterator[None]:
    """Decodes everything to nothing, with as many threads as it likes."""
    for job in jobs:
        command = [ffmpeg_exe(), "-v", "error", "-i", job.path, "-f", "null", "-"]
        subprocess.run(command, check=True)
        yield None


def check(jobs: Sequence[Job]) -> Iterator[None]:
    """What `ingest` does with a video that it has not seen, once it is hashed: decodes it to its
    end within bounds, notes the time of each frame, and takes its fingerprint."""
    for job in jobs:
        item = (job.path.name, job.info.hash)
        verdict, _ = check_one(job.path.parent, Bounds(timeout_s=600), item)
        assert verdict == job.info
        yield None


READERS: Mapping[str, Callable[[Sequence[Job]], Iterator[Any]]] = {
    "reelflow": reelflow,
    "OpenCV": opencv,
    "PyAV": pyav,
    "decord": decord,
    "ffmpeg": ffmpeg,
    "the check of `ingest`": check,
}
