"""What happens to videos that cannot be decoded to their end, by name.

- `quarantine`: set them aside with their reason, and go on with the rest.
- `error`: one of them stops the run.
- `repeat_last`: use a damaged video as far as it is whole, up to a stated share of its frames. The
  last whole frame stands for every later one. Set aside whatever else cannot be used.

No policy makes up a picture: no grey, no black, nothing that a decoder guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelflow.base.errors import VideoError
from reelflow.video.check_by_decoding import DamagedVideoError, VideoInfo


@dataclass(frozen=True)
class Policy:
    """Attributes:
    name: `quarantine`, `error` or `repeat_last`.
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
