"""The versions of the decoders: with others, clips and verdicts are made again."""

from __future__ import annotations

from functools import cache


@cache
def decoders() -> str:
    """The versions of ffmpeg, also of one that `IMAGEIO_FFMPEG_EXE` names, and of PyAV."""
    # Not needed to read clips.
    from importlib.metadata import version

    import imageio_ffmpeg

    return f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}, PyAV {version('av')}"
