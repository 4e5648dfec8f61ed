"""Decodes one video after the other, asked through a socket: a program of its own.

For a short video, starting ffmpeg takes longer than decoding it. This process stays, and it looks
at each packet before it decodes it. It skips pictures that no other refers to, and in MPEG-4 groups
of pictures without a wanted frame. The bits of the pictures decide that, never the container, whose
key-frame flags are often wrong. The filters are ffmpeg's own with the same arguments, so the bytes
are the same. The process runs under the limits of any decoder (`reelflow.extraction.pyav_decoder`
starts it) and imports nothing of Reelflow, so that it starts in a tenth of a second. It leaves
whatever is odd to ffmpeg. Only this program imports PyAV, never our own process.
"""

from __future__ import annotations

import array
import json
import mmap
import os
import re
import resource
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# A request, without what is in the memory that comes with it.
MOST_ASKED = 1 << 16
DONE, LEFT = b"done", b"left"
# What in a packet of MPEG-4 (part 2) also holds for later packets: the header of the video object
# layer, and the name of the encoder, by which a decoder expects its faults. Then the picture.
_LASTING = re.compile(rb"\x00\x00\x01[\x20-\x2f\xb2].*?(?=\x00\x00\x01|\Z)", re.DOTALL)
_PICTURE = b"\0\0\1\xb6"
_INTRA, _PREDICTED = 0, 1
# Codecs in which a picture itself shows that no other refers to it. In HEVC this depends on its
# temporal layers.
_SHOWS_REFERENCES = ("h264", "mpeg1video", "mpeg2video", "mpeg4")


class _OddError(Exception):
    """A video whose frames may differ from those of ffmpeg."""


def serve(asking: socket.socket) -> None:
    """Answer requests until the asking process is gone.

    A request is JSON with two descriptors: the video and shared memory. The memory holds the times
    of all frames and those of the wanted ones, an int64 each, then room for the pictures.
    """
    from av.error import FFmpegError

    while True:
        request, descriptors, _, _ = socket.recv_fds(asking, MOST_ASKED, 2)
        if not request:
            return
        try:
            _answer(json.loads(request), *descriptors)
            answer = DONE
        except (_OddError, FFmpegError):
            answer = LEFT
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        asking.send(answer)


def _answer(asked: dict[str, Any], video: int, memory: int) -> None:
    import av

    # One thread takes no more CPU time than the wall-clock time that the asking process waits; this
    # ends a decoder for which nobody waits any more.
    seconds = int(time.process_time()) + asked["seconds"]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    frames, wanted = asked["frames"], asked["wanted"]
    # All of its pages at once: to touch each for the first time takes as long as to fill it.
    flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
    with mmap.mmap(memory, 0, flags=flags) as room, memoryview(room) as view:
        times = array.array("q")
        times.frombytes(view[: 8 * (frames + wanted)])
        with view[8 * len(times) :] as pictures:
            options = {**asked["options"], "fd": str(video)}
            with av.open("fd:", options=options) as container:
                _decode(container, asked, times[:frames], times[frames:], pictures)


def _decode(
    container: Any,
    asked: dict[str, Any],
    times: Sequence[int],
    wanted: Sequence[int],
    pictures: memoryview,
) -> None:
    from av.sidedata.sidedata import Type

    stream = container.streams[asked["stream"]]
    context = stream.codec_context
    stream.thread_type = "NONE"
    context.thread_count = 1
    context.options = {"max_pixels": asked["options"]["max_pixels"]}
    packets = [packet for packet in container.demux(stream) if packet.size]
    if any(packet.pts is None for packet in packets):
        raise _OddError
    if sorted(packet.pts for packet in packets) != list(times):
        raise _OddError  # not a frame a packet
    expected, graph, form = iter(wanted), None, None
    size = asked["width"] * 3 * asked["height"]
    done = 0
    codec = asked["codec"]
    starts = mpeg4_starts(packets, context.extradata or b"") if codec == "mpeg4" else [0]
    passing = codec in _SHOWS_REFERENCES
    places = needed([packet.pts for packet in packets], set(wanted), starts)
    some = ((packets[at], asked_for) for at, asked_for in places)
    for frame in _frames(context, some, passing=passing):
        if frame.pts != next(expected, None) or frame.is_corrupt:
            raise _OddError
        if any(data.type == Type.DISPLAYMATRIX for data in frame.side_data):
            raise _OddError  # ffmpeg would turn or mirror it
        form = form or (frame.width, frame.height, frame.format.name)
        if form != (frame.width, frame.height, frame.format.name):
            raise _OddError  # the filters are made for one
        graph = graph or _graph(asked["filters"], frame, stream.time_base)
        graph.push(frame)
        _copy(graph.pull(), asked["width"], pictures[done : done + size])
        done += size
    if next(expected, None) is not None:
        raise _OddError


def needed(
    times: Sequence[int], wanted: set[int], starts: Sequence[int]
) -> Iterator[tuple[int, bool]]:
    """Yield the place of each packet that the frames shown at `wanted` may need, and whether it is
    one of them.

    Args:
        times: when each packet is shown, in the order of decoding, a frame each.
        wanted: times.
        starts: of the packets, rising from 0, those before which nothing matters after them.
    """
    for start, end in zip(starts, [*starts[1:], len(times)], strict=True):
        asked = [at for at in range(start, end) if times[at] in wanted]
        for at in range(start, asked[-1] + 1 if asked else start):
            yield at, times[at] in wanted


def mpeg4_starts(packets: Sequence[Any], header: bytes) -> list[int]:
    """Where decoding of MPEG-4 (part 2) can start: at pictures that refer to none, if all others
    refer to the one before alone and the headers never change."""
    data = [bytes(packet) for packet in packets]
    kinds = [_kind(each) for each in data]
    lasting = {b"".join(_LASTING.findall(each.partition(_PICTURE)[0])) for each in (header, *data)}
    if len(lasting - {b""}) != 1 or not {_INTRA, _PREDICTED}.issuperset(kinds):
        return [0]
    return [at for at, kind in enumerate(kinds) if kind == _INTRA or not at]


def _kind(packet: bytes) -> int | None:
    """The kind of picture in a packet of MPEG-4 (part 2); None if it does not hold just one."""
    _, _, picture = packet.partition(_PICTURE)
    return picture[0] >> 6 if picture and _PICTURE not in picture else None


def _frames(context: Any, packets: Iterable[tuple[Any, bool]], *, passing: bool) -> Iterator[Any]:
    """The frames of wanted packets; `passing`: skip other pictures that no picture refers to. A
    decoder knows of more such pictures than a container."""
    wanted = set()
    for packet, asked in packets:
        context.skip_frame = "NONREF" if passing and not asked else "DEFAULT"
        if asked:
            wanted.add(packet.pts)
        yield from (frame for frame in context.decode(packet) if frame.pts in wanted)
    yield from (frame for frame in context.decode(None) if frame.pts in wanted)


def _graph(filters: Sequence[str], frame: Any, time_base: Any) -> Any:
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1  # starting more takes longer than they save
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=time_base
    )
    for words in filters:
        name, _, arguments = words.partition("=")
        added = graph.add(name, arguments or None)
        last.link_to(added)
        last = added
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _copy(picture: Any, width: int, to: memoryview) -> None:
    plane = picture.planes[0]
    row, stride = 3 * width, plane.line_size
    if len(to) != row * picture.height or picture.width != width:
        raise _OddError
    with memoryview(plane) as pixels:
        rows = range(0, stride * picture.height, stride)
        to[:] = b"".join([pixels[at : at + row] for at in rows])


if __name__ == "__main__":
    import gc

    import av

    # What was imported stays: the collector need not look through it for each video.
    gc.collect()
    gc.freeze()
    av.logging.set_level(None)
    with socket.socket(fileno=0) as standard_input:
        serve(standard_input)
