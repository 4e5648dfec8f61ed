"""What a video is, read from the graph in which ffmpeg decoded it.

ffmpeg (8 and later) prints as JSON which demuxer and which decoder it took, what the decoder gave,
and the filters by which it turned the picture: what the header states, but as ffmpeg acted on it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from reelflow.video.ffmpeg import run_ffmpeg, source
from reelflow.video.process_limits import Bounds

_TURNING = {"transpose", "hflip", "vflip", "rotate"}
_ROTATION = r"side data - .*displaymatrix: rotation of (-?[\d.]+) degrees"
_TRANSFER = r"^\[Parsed_showinfo_\d+ @ \S+\] color_range:.* color_trc:(\S+)"


def is_rescaled(graph: dict[str, Any]) -> bool:
    """Whether the size of the picture changed, so that ffmpeg scales what came later: it prints the
    last graph of several."""
    return any(each["filter_name"] == "scale" for each in graph["graphs"][0]["filters"])


def describe(graph: dict[str, Any], path: Path, bounds: Bounds) -> dict[str, Any]:
    """The fields of `VideoInfo` that do not depend on times: container, codec, picture, stream.

    Args:
        graph: of a decode of one video stream, as `-print_graphs_format json` prints it.
        path: the video; it is opened once more only if it is turned or of more than eight bits.
        bounds: limits of that decoder.
    """
    decoder = graph["decoders"][0]
    links = {
        each["filter_name"]: (each["filter_inputs"] or each["filter_outputs"])[0]
        for each in graph["graphs"][0]["filters"]
    }
    width, height = _shown_size(links["buffersink"], turned="transpose" in links)
    rotation, transfer = 0, ""
    # The graph shows that a picture was turned, but not which way, and not how light is coded. HDR
    # has more than eight bits a sample, and so a byte order.
    if _TURNING & set(links) or str(links["buffer"]["format"]).endswith(("le", "be")):
        rotation, transfer = _first_picture(path, bounds)
    return {
        "container": str(graph["inputfiles"][0]["demuxer_name"]),
        "codec": str(decoder["name"]),
        "pixel_format": str(links["buffer"]["format"]),
        "transfer": transfer,
        "width": width,
        "height": height,
        "rotation": rotation,
        "stream": int(decoder["source_id"].rpartition("_")[2]),
    }


def _shown_size(sink: dict[str, Any], *, turned: bool) -> tuple[int, int]:
    """Width and height in square pixels. The stored width is stretched, which is the height of a
    turned picture."""
    width, height = int(sink["width"]), int(sink["height"])
    across, down = (int(part) for part in sink["sar"].split(":"))
    aspect = Fraction(across, down) if across > 0 and down > 0 else Fraction(1)
    if turned:
        return width, max(1, round(height / aspect))
    return max(1, round(width * aspect)), height


def _first_picture(path: Path, bounds: Bounds) -> tuple[int, str]:
    """Degrees clockwise by which the first picture is turned to be shown, and its transfer
    function."""
    with source(path, noautorotate=None) as (video, descriptor):
        shown = video["V:0"].filter("showinfo", checksum=0)
        output = ffmpeg.output(shown, "-", format="null", **{"frames:v": 1})
        heard = f"{_ROTATION}|{_TRANSFER}".encode()
        finished = run_ffmpeg(
            [output], path, bounds, "info", pass_fds=(descriptor,), listen_for=heard
        )
    turned = re.search(_ROTATION, finished.stderr)
    transfer = re.search(_TRANSFER, finished.stderr, re.MULTILINE)
    known = transfer[1] if transfer and transfer[1] != "unknown" else ""
    return -round(float(turned[1])) % 360 if turned else 0, known
