"""What ffmpeg complains of while it decodes a video, and what of it is about the video's pictures.

A complaint sets a file aside (`reelflow.video.check`), so it matters whom it is of: sound that is
not read here, another stream and the list of output times say nothing of the pictures.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache

from reelflow.video.ffmpeg import Finished, ffmpeg_exe
from reelflow.video.pipe import STDERR_LIMIT

# Ask ffmpeg for `-v level+warning`, and this finds the lines that tell of damage. Most warnings are
# harmless, but of some broken packets (MPEG-TS) and pictures nothing else tells, nor of Theora that
# it begins with a picture that refers to others, for which its decoder makes up a green one.
LISTENED = rb"\[(error|fatal|panic)\] |\[warning\] .*(corrupt|first frame not a keyframe)"
_SPEAKER = re.compile(r"^(\[[^]]* @ 0x[0-9a-f]+\] )*\[\w+\] (Error opening input: )?")
_NAME = re.compile(r"^\[([^]]*) @ ")
_STREAM = re.compile(r"\bstream (?:= )?(\d+)\b")
# What the parts of ffmpeg tell each other when there is nothing to hand on.
_FOLLOWS = re.compile(
    r"^\[(vf|vost|out|enc)[#:]|^\[(error|fatal)\] |Error submitting packet|Task finished with|"
    r"Terminating thread|Decode error rate"
)
_DECODER = re.compile(r"^ ([VAS])[A-Z.]{5} (\w\S*)", re.MULTILINE)
_LONGEST_QUOTE = 200


def of_video(finished: Finished, stream: int | None = None) -> list[str]:
    """The lines that may be about the video stream: in doubt they are.

    Args:
        finished: an ffmpeg process that was listened to for `LISTENED`.
        stream: index of the video stream, if it is known.
    """
    lines = [line for line in finished.stderr.splitlines() if not _is_of_another(line, stream)]
    if len(finished.stderr) >= STDERR_LIMIT:
        lines.append("[error] It complains of more than is kept.")
    elif finished.returncode and not lines:
        lines.append(f"[error] exit status {finished.returncode}")
    return lines


def are_of_decoder(lines: list[str]) -> bool:
    """Whether a decoder says all of it, of which a second reader can tell whether it is of a
    picture; what a demuxer misses, nobody sees."""
    video = _decoders()["V"]
    return all(_speaker(line) in video or line.startswith("[vist#") for line in lines)


def cause(lines: list[str]) -> str:
    """What was complained of first that is no mere consequence, fit to be printed anywhere; empty
    if there is nothing."""
    line = next((line for line in lines if not _FOLLOWS.search(line)), "")
    spoken = _SPEAKER.sub("", line)[:_LONGEST_QUOTE]
    return "".join(c if c.isprintable() else "?" for c in spoken)


def _is_of_another(line: str, stream: int | None) -> bool:
    # The muxer `framecrc` prints times for us; equal ones are no damage of the file.
    if line.startswith(("[null @", "[framecrc @")) or _speaker(line) in _decoders()["AS"]:
        return True
    named = _STREAM.search(line)
    return stream is not None and named is not None and int(named[1]) != stream


def _speaker(line: str) -> str:
    named = _NAME.match(line)
    return named[1] if named else ""


@cache
def _decoders() -> dict[str, frozenset[str]]:
    """ffmpeg's names of the decoders of video, and of sound and subtitles."""
    told = subprocess.run(
        [ffmpeg_exe(), "-hide_banner", "-decoders"], check=True, capture_output=True, text=True
    )
    found = _DECODER.findall(told.stdout)
    return {
        kinds: frozenset(name for kind, name in found if kind in kinds) for kinds in ("V", "AS")
    }
