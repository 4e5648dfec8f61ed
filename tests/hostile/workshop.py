"""What a hostile file is made with, and what a case is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bait:
    """What a hostile file may point at.

    Attributes:
        canary: a good video that must not be opened, in a folder of its own.
        port: of a listener on loopback.
    """

    canary: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stolen.ts"


@dataclass(frozen=True)
class Workshop:
    """Attributes:
    bait: what to point at.
    true: `true(muxer, codec, *options)`, the bytes of a true video; without codec, of a sound.
    """

    bait: Bait
    true: Callable[..., bytes]


# The code by which the file must be set aside, and what makes its bytes.
Case = tuple[str, Callable[[Workshop], bytes]]
