"""A folder of hostile files, a canary, a listener, and true videos to make them of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import MakeVideo, ffmpeg
from tests.hostile.traps import Canary, Listener
from tests.hostile.workshop import Bait, Workshop


@dataclass(frozen=True)
class Scene:
    """Attributes:
    inside: the folder of the videos, `raw` of a pipeline; it has a class `any`.
    bait: what hostile files point at, in a folder beside it.
    outside, beside: what of these folders was opened.
    listener: what was sent to its port.
    """

    inside: Path
    bait: Bait
    outside: Canary
    beside: Canary
    listener: Listener

    @property
    def folder(self) -> Path:
        return self.inside / "any"

    def forget(self) -> None:
        """Drop what was noticed so far."""
        self.outside.touched()
        self.beside.touched()
        self.listener.heard.clear()

    def assert_only_touched(self, *names: str) -> None:
        """No file but these, which lie in `folder`, was opened; nothing came to the listener."""
        assert self.outside.touched() - {""} == set()
        assert self.beside.touched() - {"", *names} == set()
        assert self.listener.heard == []


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Iterator[Scene]:
    root = tmp_path_factory.mktemp("hostile")
    canary = make_video(root / "outside" / "x.ts", size="48x32", seconds=0.5)
    folder = root / "raw" / "any"
    folder.mkdir(parents=True)
    shutil.copy(canary, folder / "bait.ts")
    listener = Listener()
    traps = Canary(canary.parent), Canary(folder)
    yield Scene(root / "raw", Bait(canary, listener.port), *traps, listener)
    listener.close()
    for trap in traps:
        trap.close()


@pytest.fixture(scope="module")
def workshop(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    path = tmp_path_factory.mktemp("true") / "video"

    @cache
    def true(muxer: str, codec: str, *options: str) -> bytes:
        """The bytes of a video of 30 frames; without codec, of a sound."""
        picture = ("-i", "testsrc2=size=160x120:rate=10:duration=3", "-c:v", codec)
        source = picture if codec else ("-i", "sine=duration=1")
        ffmpeg("-f", "lavfi", *source, *options, "-f", muxer, f"file:{path}")
        return path.read_bytes()

    return Workshop(scene.bait, true)
