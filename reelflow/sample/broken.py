"""Five files that look like videos and are not, each broken in a way that real files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from reelflow.sample.encode import FORMATS
from reelflow.sample.plan import Planned

# From the bytes of a whole video to those that are written.
Damage = Callable[[bytes], bytes]


def broken(videos: list[Planned], seed: int) -> list[tuple[Planned, Damage]]:
    """Five broken files among `videos`, sorted by path: what each pretends to be, and its damage.
    Each is a clip that no good video shows."""
    noise = np.random.default_rng([seed, 3]).bytes(20_000)
    ways: dict[str, tuple[str, Damage]] = {
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
        found.append((replace(like, path=path, clip=unused, format=form), damage))
    return sorted(found, key=lambda each: each[0].path)
