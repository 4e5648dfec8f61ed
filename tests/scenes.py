"""Clips that share a scene and differ in what moves in it, as those of one camera do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.conftest import ffmpeg


def scene(path: Path, seed: int, options: tuple[str, ...] = ()) -> Path:
    """Four seconds of one scene, the same for every seed, before which three boxes move."""
    way = np.random.default_rng(seed)
    graph = "mandelbrot=s=160x120:r=25:end_scale=3:start_scale=3,trim=end=4[back]"
    last = "back"
    for number in range(3):
        a, b, c, d = (*way.uniform(1, 4, 2), *way.uniform(0, 6, 2))
        graph += (
            f";color=c=white:s=22x30:r=25:d=4[box{number}];[{last}][box{number}]overlay="
            f"x='60+60*sin({a:.2f}*t+{c:.2f})':y='45+45*sin({b:.2f}*t+{d:.2f})'[s{number}]"
        )
        last = f"s{number}"
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg(
        "-filter_complex", f"{graph};[{last}]format=yuv420p[out]", "-map", "[out]",
        *(options or ("-c:v", "libx264")), f"file:{path}",
    )  # fmt: skip
    return path
