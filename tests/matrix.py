"""Small videos of many codecs in many containers, with key-frame flags that are true, false or
missing: each codec is encoded once, and its packets are then put into containers by PyAV, which
writes whatever flags it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import av

from tests.conftest import ffmpeg

PICTURE = "testsrc2=size=64x48:rate=20:duration=2"
_X264 = "-x264-params"
_X265 = ("-x265-params", "log-level=none:keyint=9:pools=1")
_BT709 = ("-colorspace", "bt709", "-color_trc", "bt709", "-color_primaries", "bt709")
# name: encoder, its options, the file that its packets are taken from, the containers
CODECS: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "mpeg4": ("mpeg4", (), "avi", "avi mp4 mov mkv nut ts asf 3gp"),
    "mpeg4-global": ("mpeg4", ("-flags", "+global_header"), "mkv", "avi mp4 mkv"),
    "mpeg4-b": ("mpeg4", ("-bf", "2"), "mkv", "mp4 mkv avi"),
    "mpeg4-fields": ("mpeg4", ("-bf", "2", "-flags", "+ildct+ilme"), "mkv", "mp4"),
    "xvid": ("libxvid", (), "avi", "avi mp4"),
    "msmpeg4v2": ("msmpeg4v2", (), "avi", "avi asf"),
    "msmpeg4v3": ("msmpeg4", (), "avi", "avi asf mov"),
    "wmv1": ("wmv1", (), "asf", "asf avi"),
    "wmv2": ("wmv2", (), "asf", "asf avi"),
    "h263": ("h263", ("-s", "128x96"), "3gp", "3gp avi mov"),
    "h263p": ("h263p", (), "avi", "avi mov"),
    "flv1": ("flv", (), "flv", "flv avi"),
    "mpeg1": ("mpeg1video", ("-bf", "2"), "mkv", "mpg mkv mp4"),
    "mpeg2": ("mpeg2video", ("-bf", "2"), "mkv", "mpg mkv ts mov"),
    "mpeg2-p": ("mpeg2video", ("-bf", "0"), "mkv", "avi mp4"),
    "h264": ("libx264", ("-bf", "2"), "mkv", "mp4 mkv flv"),
    "h264-bytes": ("libx264", ("-bf", "2"), "ts", "avi ts"),
    "h264-open": ("libx264", (_X264, "open-gop=1:bframes=3"), "mkv", "mp4 ts"),
    "h264-refresh": ("libx264", (_X264, "intra-refresh=1"), "mkv", "mp4"),
    "h264-709": ("libx264", _BT709, "mkv", "mp4"),
    "h264-full": ("libx264", ("-pix_fmt", "yuvj420p"), "mkv", "mp4"),
    "hevc": ("libx265", _X265, "mkv", "mp4 ts"),
    "hevc-layers": ("libx265", (_X265[0], f"{_X265[1]}:temporal-layers=3"), "mkv", "mkv ts"),
    "vp8": ("libvpx", ("-auto-alt-ref", "0"), "webm", "webm avi nut"),
    "vp9": ("libvpx-vp9", ("-cpu-used", "8"), "webm", "webm mp4"),
    "mjpeg": ("mjpeg", (), "avi", "avi mov"),
    "theora": ("libtheora", (), "ogg", "ogg mkv"),
    "svq1": ("svq1", (), "mov", "mov"),
    "cinepak": ("cinepak", (), "avi", "avi"),
    "qtrle": ("qtrle", (), "mov", "mov"),
    "msvideo1": ("msvideo1", (), "avi", "avi"),
    "zmbv": ("zmbv", (), "avi", "avi"),
}
# Packets without a container, which has all times.
BARE = {"h264": "h264", "hevc": "hevc", "mpeg4": "m4v", "mpeg2": "m2v", "mpeg1": "m1v"}
Flag = Callable[[int, bool], bool]
FLAGS: dict[str, Flag] = {
    "true": lambda at, key: key,
    "all": lambda at, key: True,
    "odd": lambda at, key: at % 7 == 0,
    "none": lambda at, key: not at,
}


def matrix(folder: Path) -> Iterator[Path]:
    """Write all of them, in two folders: no codec is in both."""
    beside = folder.with_name("sources")
    sources = {name: beside / f"{name}.{row[2]}" for name, row in CODECS.items()}
    for path in (beside, folder / "one", folder / "two"):
        path.mkdir(parents=True)
    outputs: list[str] = []
    for name, (codec, options, _, _) in CODECS.items():
        outputs += ["-map", "0:v", "-c:v", codec, "-g", "9", *options, str(sources[name])]
    ffmpeg("-f", "lavfi", "-i", PICTURE, *outputs)
    for at, (name, (_, _, _, containers)) in enumerate(CODECS.items()):
        own = folder / ("one", "two")[at % 2]
        for number, container in enumerate(containers.split()):
            for flags, flag in list(FLAGS.items())[: 3 if number else 4]:
                yield put([sources[name]], own / f"{name}-{flags}.{container}", flag)
    for name, suffix in BARE.items():
        path = folder / "one" / f"{name}.{suffix}"
        ffmpeg("-i", str(sources[name]), "-c", "copy", str(path))
        yield path


def put(sources: Iterable[Path], path: Path, flag: Flag = FLAGS["true"], skip: int = 0) -> Path:
    """Put the packets of videos, one after the other, into one stream of another container.

    Args:
        sources: the videos, of one codec.
        path: the file to write.
        flag: which packets are flagged as key frames.
        skip: how many packets are left out at the beginning.
    """
    out: Any = None
    at, start = 0, 0
    with av.open(str(path), "w") as other:
        for source in sources:
            with av.open(str(source)) as one:
                stream = one.streams.video[0]
                out = out or other.add_stream_from_template(stream, opaque=True)
                packets: list[Any] = [packet for packet in one.demux(stream) if packet.size]
            for packet in packets:
                if at >= skip:
                    packet.is_keyframe = flag(at, packet.is_keyframe)
                    packet.stream = out
                    if start:
                        packet.dts += start
                        packet.pts += start
                    other.mux(packet)
                at += 1
            start += max(packet.pts or 0 for packet in packets) + max(1, packets[-1].duration or 0)
    return path
