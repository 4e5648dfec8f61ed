"""Why a video cannot be used: code, reason and remedy, from what ffmpeg complained of."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reelflow.base.errors import VideoError
from reelflow.video import ffmpeg_messages
from reelflow.video.allowed_formats import MOST_PIXELS
from reelflow.video.ffmpeg import Finished, header_lines
from reelflow.video.frame_times import Times, span
from reelflow.video.intact_frames import find_intact
from reelflow.video.open_safely import opened
from reelflow.video.process_limits import Bounds

_PROBED = r"^\[in#0 @ \S+\] Format (\S+) (probed|detected only) with"
_UNKNOWN = r"Stream #0:\d+.*: Video: none \((.+?) / 0x"
_REFUSED = r"\[dec:(\S+) @ \S+\] \[error\] Error while opening decoder"
_ENCRYPTION = r"[Ee]ncrypted|DRM|Unsupported encoding type"
_SIZE = re.compile(r"Picture size (\d+)x(\d+) ")
# Whatever UTF-8 has but control characters.
_TEXT = bytes({9, 10, 12, 13} | set(range(32, 127)) | set(range(0x80, 0xF5)))
_ENOUGH_TO_SEE_TEXT = 512
_PACKET = 188  # bytes, of a transport stream
# A clip is stretched to square pixels and cut; of a longer picture hardly anything would be left.
_LONGEST_SHAPE = 50
# Times are multiplied by the number of frames of a clip in 64 bits.
_LONGEST_SPAN = 1 << 52
_LONGEST_SECONDS = 1e8

_AGAIN = "If it should be one, it was cut short or damaged: copy or record it again."
_LEAVE_OUT = "Leave it out."
_ENCRYPTED = (
    "It is encrypted (DRM, or scrambled by its sender).",
    "Get a copy that is not protected, or decrypt it with its key.",
)
# Lossless, and for pictures of any size: what is repaired is not made worse.
_NEW_TIMES = "ffmpeg -i IN -map 0:V:0 -vf setpts=N/25/TB -fps_mode passthrough -c:v ffv1 OUT.mkv"
_FROM_KEY_FRAME = "ffmpeg -i IN -map 0:V:0 -c copy OUT.mkv"
_REENCODE = "ffmpeg -i IN -map 0:V:0 -c:v ffv1 OUT.mkv"


def without_frames(finished: Finished, path: Path, bounds: Bounds) -> VideoError:
    """Why not one frame came out: `unreadable`, `format`, `codec`, `no_video`, `too_large`,
    `encrypted` or `no_frames`.

    Args:
        finished: an ffmpeg process that tried to decode the video.
        path: the video.
        bounds: limits of a decoder, should the file be asked once more.
    """
    return VideoError(str(path), *_verdict(finished, path, bounds))


def encrypted(path: Path) -> VideoError:
    """The error for a video whose pictures nobody sees without the key."""
    return VideoError(str(path), "encrypted", *_ENCRYPTED)


def keep_whole(intact: int, pixel_format: str) -> str:
    """The remedy for a video whose first `intact` frames are whole."""
    if not intact:
        return (
            "Copy or record it again. If it begins in the middle of a recording, keep what follows "
            f"the first key frame: `{_FROM_KEY_FRAME}`."
        )
    # Otherwise ffmpeg squeezes the full range of `yuvj…` into the narrow one.
    full = "-color_range pc " if pixel_format.startswith("yuvj") else ""
    keep = f"-map 0:V:0 -frames:v {intact} -fps_mode passthrough {full}-c:v ffv1"
    return f"Copy it again, or keep what is whole: `ffmpeg -i IN {keep} OUT.mkv`."


def refuse_odd_shape(path: Path, width: int, height: int) -> None:
    """Raise `VideoError`, `shape`, for a picture that is no picture."""
    if max(width, height) > _LONGEST_SHAPE * min(width, height):
        reason = f"It is shown at {width}x{height} pixels, a mere line."
        raise VideoError(str(path), "shape", reason, _LEAVE_OUT)


def refuse_odd_times(path: Path, pts: Times, seconds: float) -> None:
    """Raise `VideoError`, `times`, if the times of the frames cannot be true.

    Args:
        path: the video.
        pts: int64 (N,), of its frames.
        seconds: what they span.
    """
    units = span(pts)
    if units >= _LONGEST_SPAN or seconds >= _LONGEST_SECONDS or (len(pts) > 1 and units == 0):
        reason = f"Its {len(pts)} frames span {seconds:.3g} seconds by their times."
        raise VideoError(str(path), "times", reason, f"Give them new times: `{_NEW_TIMES}`.")


def _verdict(finished: Finished, path: Path, bounds: Bounds) -> tuple[str, str, str]:
    """Code, reason, remedy."""
    complaint = ffmpeg_messages.cause(finished.stderr.splitlines())
    if _too_large(finished):
        reason = f"Its pictures have more pixels than a video's may have here ({MOST_PIXELS:,})."
        return "too_large", reason, "Scale it down with another program."
    if "Format not on whitelist" in finished.stderr:
        name = _logged(path, bounds, "debug", _PROBED)
        reason = f"It is a playlist, a picture or another format that is not read here ({name})."
        return "format", reason, "If it is a video and you trust it, convert it to MP4 or Matroska."
    if "matches no streams" in finished.stderr:
        return "no_video", "It holds no video stream, at most sound or a cover.", _LEAVE_OUT
    if "Error opening input" in finished.stderr:
        return "unreadable", *_not_opened(complaint, path)
    refused = re.search(_REFUSED, finished.stderr)
    if refused:
        reason = f"No decoder that is used here reads its codec ({refused[1]})."
        return "codec", reason, f"If you trust it: `{_REENCODE}`."
    if "no decoder found for" in finished.stderr:
        tag = _logged(path, bounds, "info", _UNKNOWN)
        reason = f"ffmpeg has no decoder for its codec ({tag})."
        return "codec", reason, "Convert it to H.264 with the program that made it."
    if (
        re.search(_ENCRYPTION, finished.stderr)
        or _is_scrambled(path)
        or find_intact(path, None, bounds).encrypted
    ):
        return "encrypted", *_ENCRYPTED
    if not complaint:
        return "no_frames", "Its video stream holds no picture.", _AGAIN
    return "no_frames", f"Not one frame can be decoded («{complaint}»).", _AGAIN


def _is_scrambled(path: Path) -> bool:
    """Whether a transport stream marks most of its first packets as scrambled."""
    with opened(path) as descriptor:
        start = os.read(descriptor, _PACKET * 1000)
    packets = [start[at : at + 4] for at in range(0, len(start) - 3, _PACKET)]
    scrambled = sum(packet[3] >= 0x40 for packet in packets)
    return all(packet[0] == 0x47 for packet in packets) and 2 * scrambled > len(packets)


def _too_large(finished: Finished) -> bool:
    sizes = [int(width) * int(height) for width, height in _SIZE.findall(finished.stderr)]
    return max(sizes, default=0) > MOST_PIXELS


def _not_opened(complaint: str, path: Path) -> tuple[str, str]:
    if complaint == "moov atom not found":
        reason = "Its index (moov) is missing: recording or copying it was cut off."
        return reason, "Copy or record it again. Its index cannot be made anew from the file alone."
    with opened(path) as descriptor:
        start = os.read(descriptor, _ENOUGH_TO_SEE_TEXT)
    if not start.translate(None, _TEXT):
        return "It is text, no video.", _LEAVE_OUT
    if not start.strip(b"\0"):
        return "It begins with zeros: it was not written or downloaded to its end.", _AGAIN
    return f"It is of no format that ffmpeg can open ({complaint}).", _AGAIN


def _logged(path: Path, bounds: Bounds, level: str, pattern: str) -> str:
    """What ffmpeg logs of a file at a level that is not listened to: the group of `pattern`."""
    found = re.search(pattern, header_lines(path, bounds, level, pattern), re.MULTILINE)
    return found[1] if found else "unknown"
