"""What is done about videos that cannot be decoded to their end, by name.

- `quarantine`: they are set aside with their reason, and the rest goes on.
- `error`: one of them stops the run.
- `repeat_last`: a damaged video is used as far as it is whole, up to a stated share of its frames:
  the last whole frame stands for every later one. Whatever else cannot be used is set aside.

Nothing is ever made up: no grey, no black, no picture that a decoder guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelflow.base.errors import VideoError
from reelflow.video.check import DamagedVideoError, VideoInfo

POLICIES = ("quarantine", "error", "repeat_last")


@dataclass(frozen=True)
class Policy:
    """Attributes:
    name: one of `POLICIES`.
    max_repeated_share: share of a video's frames, from 0 to less than 0.5, for which the last
        whole frame may stand; for `repeat_last` alone.
    """

    name: str = "quarantine"
    max_repeated_share: float = 0.1

    def verdict(self, found: VideoInfo | VideoError) -> VideoInfo | VideoError:
        """What a check found, or, if it may be used all the same, what is known of the video."""
        if self.name != "repeat_last" or not isinstance(found, DamagedVideoError):
            return found
        info = found.info
        if info.intact and info.repeated <= self.max_repeated_share * info.frames:
            return info
        return found


SET_ASIDE = Policy()
