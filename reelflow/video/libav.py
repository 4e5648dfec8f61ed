"""Decodes one video after the other, asked through a socket: a program of its own.

For a short video, starting ffmpeg takes longer than decoding it. This process stays, and so can
look at each packet before it is decoded: groups of pictures without a wanted frame are passed over,
and of the others the pictures that nobody refers to. The filters are ffmpeg's own, by the same
words, and so are the bytes. It runs within the bounds of any decoder (`reelflow.video.decoder`
starts it) and imports nothing of Reelflow: starting takes a tenth of a second. What is odd in any
way is not decoded here but left to ffmpeg. PyAV is imported by the program alone, never by ours.
"""

from __future__ import annotations

import array
import json
import mmap
import os
import resource
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# A request, without what is in the memory that comes with it.
MOST_ASKED = 1 << 16
DONE, LEFT = b"done", b"left"


class _OddError(Exception):
    """A video of which it is not certain that the frames would be ffmpeg's."""


def serve(asking: socket.socket) -> None:
    """Answer requests until whoever asks is gone.

    A request is JSON with two descriptors: the video, and memory that holds, each an int64, the
    times of all frames and then those of the wanted ones, and behind them room for the pictures.
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

    # One thread takes no more CPU time than the wall-clock that whoever asks allows; this ends a
    # decoder that nobody waits for any more.
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
    packets = [packet for packet in container.demux(stream) if packet.size]
    if any(packet.pts is None for packet in packets):
        raise _OddError
    if sorted(packet.pts for packet in packets) != list(times):
        raise _OddError  # not a frame a packet
    expected, graph = iter(wanted), None
    size = asked["width"] * 3 * asked["height"]
    done = 0
    for frame in _frames(context, needed(packets, set(wanted), alone=asked["alone"])):
        if frame.pts != next(expected, None) or frame.is_corrupt:
            raise _OddError
        if any(data.type == Type.DISPLAYMATRIX for data in frame.side_data):
            raise _OddError  # ffmpeg would turn or mirror it
        graph = graph or _graph(asked["filters"], frame, stream.time_base)
        graph.push(frame)
        _copy(graph.pull(), asked["width"], pictures[done : done + size])
        done += size
    if next(expected, None) is not None:
        raise _OddError


def needed(packets: Sequence[Any], wanted: set[int], *, alone: bool) -> Iterator[tuple[Any, bool]]:
    """Yield each packet to be decoded for the frames shown at `wanted`, and whether it is one.

    Args:
        packets: all, in the order of decoding, a frame each.
        wanted: times.
        alone: whether nothing after a key frame, as the container flags it, refers to what is
            before it, but for pictures that are shown before it.
    """
    starts = [at for at, packet in enumerate(packets) if packet.is_keyframe] if alone else []
    starts = sorted({0, *starts})
    groups = list(zip(starts, [*starts[1:], len(packets)], strict=True))
    places = [[at for at in range(*group) if packets[at].pts in wanted] for group in groups]
    kept: set[int] = set()
    for number, ((start, _), asked) in enumerate(zip(groups, places, strict=True)):
        if asked:
            kept.update(range(start, asked[-1] + 1))
            if number and any(packets[at].pts < packets[start].pts for at in asked):
                kept.update(range(*groups[number - 1]))  # it refers to the group before
    for at in sorted(kept):
        yield packets[at], packets[at].pts in wanted


def _frames(context: Any, packets: Iterable[tuple[Any, bool]]) -> Iterator[Any]:
    """The frames of wanted packets."""
    wanted = set()
    for packet, asked in packets:
        # A decoder knows of more pictures than a container that nobody refers to them.
        context.skip_frame = "DEFAULT" if asked else "NONREF"
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
