"""What ffmpeg complains of while it decodes a video, and which complaints are about its pictures.

A complaint sets a file aside (`reelflow.video.check_by_decoding`), so its source matters.
Complaints about sound, another stream or the list of output times are not about the pictures.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache

from reelflow.video.allowed_formats import DECODERS
from reelflow.video.ffmpeg import Finished, ffmpeg_exe
from reelflow.video.process_output import STDERR_LIMIT

# With `-v level+warning`, this finds the lines about damage. Most warnings are harmless, but some
# are the only sign: of broken packets (MPEG-TS), of broken pictures, and of Theora that begins with
# a picture that refers to others, for which its decoder makes up a green one.
LISTENED = rb"\[(error|fatal|panic)\] |\[warning\] .*(corrupt|first frame not a keyframe)"
_SPEAKER = re.compile(r"^(\[[^]]* @ 0x[0-9a-f]+\] )*\[\w+\] (Error opening input: )?")
_NAME = re.compile(r"^\[([^]]*) @ ")
_STREAM = re.compile(r"\bstream (?:= )?(\d+)\b")
# What the parts of ffmpeg report to each other when there is nothing to hand on.
_FOLLOWS = re.compile(
    r"^\[(vf|vost|out|enc)[#:]|^\[(error|fatal)\] |Error submitting packet|Task finished with|"
    r"Terminating thread|Decode error rate"
)
_DECODER = re.compile(r"^ [AS][A-Z.]{5} (\w\S*)", re.MULTILINE)
_LONGEST_QUOTE = 200


def of_video(finished: Finished, stream: int) -> list[str]:
    """The lines that may be about the video stream.

    Args:
        finished: an ffmpeg process that was listened to for `LISTENED`.
        stream: index of the video stream.
    """
    lines = [line for line in finished.stderr.splitlines() if not _is_of_another(line, stream)]
    if len(finished.stderr) >= STDERR_LIMIT:
        lines.append("[error] It complains of more than is kept.")
    elif finished.returncode and not lines:
        lines.append(f"[error] exit status {finished.returncode}")
    return lines


def are_of_decoder(lines: list[str]) -> bool:
    """Whether all complaints come from a decoder: a second reader can find out whether these are
    about a picture. What a demuxer misses, no reader sees."""
    return all(_speaker(line) in DECODERS or line.startswith("[vist#") for line in lines)


def cause(lines: list[str]) -> str:
    """The first complaint that is no consequence of another, in printable characters; empty if
    there is none."""
    line = next((line for line in lines if not _FOLLOWS.search(line)), "")
    quote = _SPEAKER.sub("", line)[:_LONGEST_QUOTE]
    return "".join(c if c.isprintable() else "?" for c in quote)


def _is_of_another(line: str, stream: int) -> bool:
    # The muxer `framecrc` prints times for us; equal times are no damage.
    if line.startswith(("[null @", "[framecrc @")) or _speaker(line) in _not_of_video():
        return True
    named = _STREAM.search(line)
    return named is not None and int(named[1]) != stream


def _speaker(line: str) -> str:
    named = _NAME.match(line)
    return named[1] if named else ""


@cache
def _not_of_video() -> frozenset[str]:
    """ffmpeg's names of the decoders of sound and subtitles."""
    command = [ffmpeg_exe(), "-hide_banner", "-decoders"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    return frozenset(_DECODER.findall(listed.stdout))
