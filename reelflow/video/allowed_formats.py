"""The formats that a decoder may read: containers (demuxers), codecs (decoders), size of a picture.

Many formats can name other files or addresses: playlists, edit lists with external tracks, image
sequences. So a decoder gets one open file and the protocol `fd` alone, which opens nothing else.
Only demuxers that carry video are allowed, and the decoders of codecs that people bring.
docs/threat-model.md describes the dangers.
"""

from __future__ import annotations

from typing import Any

# How a decoder calls the file that it was given.
NAME = "fd:"

# No playlist, no script, no device, no picture, no sound, no format of games.
DEMUXERS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "flv", "asf", "ogg", "gif",
    "apng", "webp_anim", "mjpeg", "h261", "h263", "h264", "hevc", "vvc", "av1", "obu", "ivf", "vc1",
    "mxf", "nut", "rm", "wtv", "dv", "dhav", "mxg", "yuv4mpegpipe",
)  # fmt: skip

# Codecs of cameras, phones, the web, editing, and the AVI and MOV files of thirty years.
DECODERS = (
    "h264", "hevc", "vvc", "av1", "libdav1d", "libaom-av1", "vp8", "vp9", "vp3", "vp6", "vp6a",
    "vp6f", "theora", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4",
    "h261", "h263", "h263i", "h263p", "flv", "wmv1", "wmv2", "wmv3", "vc1", "rv10", "rv20", "rv30",
    "rv40", "mjpeg", "mjpegb", "mxpeg", "jpeg2000", "png", "apng", "gif", "webp", "webp_anim",
    "prores", "dnxhd", "cfhd", "dvvideo", "ffv1", "huffyuv", "ffvhuff", "utvideo", "magicyuv",
    "lagarith", "rawvideo", "v210", "cinepak", "indeo3", "indeo4", "indeo5", "svq1", "svq3",
    "qtrle", "rpza", "msrle", "msvideo1", "camtasia", "tscc2", "zmbv",
)  # fmt: skip

# 8192 x 8192; a picture of four bytes a pixel then takes 256 MiB.
MOST_PIXELS = 1 << 26
MOST_STREAMS = 64
# Bytes that a process may print of the frames of a video: two million frames at the least, which
# are 18 hours at 30 a second. Their times take 250 MiB here while they are read.
MOST_PRINTED = 88 << 20


def confined(descriptor: int) -> dict[str, Any]:
    """Options with which ffmpeg or PyAV opens `NAME` and may open nothing but `descriptor`."""
    return {
        "fd": descriptor,
        "protocol_whitelist": "fd",
        "format_whitelist": ",".join(DEMUXERS),
        "codec_whitelist": ",".join(DECODERS),
        "max_streams": MOST_STREAMS,
        # PyAV uses it to probe a file; its decoders need it as an option of their own.
        "max_pixels": MOST_PIXELS,
    }
