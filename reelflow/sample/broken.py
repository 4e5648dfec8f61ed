"""Five files that look like videos and are not, each broken in a way that real files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reelflow.base.files import replacing
from reelflow.sample.encode import FORMATS, encode
from reelflow.sample.plan import Planned


@dataclass(frozen=True)
class Broken:
    """A file to be broken: what it pretends to be, and how its bytes are made from a whole video.

    Attributes:
        video: whose name, label and group it has.
        damage: from the bytes of a whole video to the bytes that are written.
    """

    video: Planned
    damage: Callable[[bytes], bytes]

    def write(self, path: Path, seed: int) -> None:
        """Write the broken file, the same bytes each time, atomically."""
        with replacing(path) as temporary:
            encode([self.video.job(temporary, seed)])
            temporary.write_bytes(self.damage(temporary.read_bytes()))


def broken(videos: list[Planned], seed: int) -> list[Broken]:
    """Five broken files among `videos`, sorted by path; each is a clip that no good video shows."""
    noise = np.random.default_rng([seed, 3]).bytes(20_000)
    ways: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
        "broken_no_index": (".mp4", lambda whole: whole[: len(whole) * 2 // 3]),
        "broken_cut_short": (".mkv", lambda whole: whole[: len(whole) * 3 // 4]),
        "broken_text": (".mp4", lambda whole: b"The camera was stolen, sorry. No video today.\n"),
        "broken_empty": (".mov", lambda whole: b""),
        "broken_noise": (".avi", lambda whole: noise),
    }
    unused = 1 + max(video.clip for video in videos)
    labels = sorted({video.label for video in videos})
    found = []
    for number, (name, (extension, damage)) in enumerate(ways.items()):
        label = labels[number % len(labels)]
        like = next(video for video in videos if video.label == label)
        form = next(form for form in FORMATS if form.extension == extension)
        path = f"{label}/{name}{extension}"
        found.append(Broken(replace(like, path=path, clip=unused, format=form), damage))
    return sorted(found, key=lambda each: each.video.path)
