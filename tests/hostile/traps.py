"""Tripwires: a canary file and a loopback listener that no video may make anybody touch."""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import struct
import threading
from pathlib import Path

_IN_ACCESS, _IN_OPEN, _IN_NONBLOCK = 0x1, 0x20, 0o4000
_EVENT = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Canary:
    """Knows which files of a folder were opened or read, from the kernel (inotify)."""

    def __init__(self, folder: Path) -> None:
        self._queue = _libc.inotify_init1(_IN_NONBLOCK)
        mask = _IN_ACCESS | _IN_OPEN
        watched = _libc.inotify_add_watch(self._queue, os.fsencode(folder), mask)
        assert self._queue >= 0
        assert watched >= 0, os.strerror(ctypes.get_errno())

    def touched(self) -> set[str]:
        """Names of the files that were opened or read since it was last asked."""
        names = set()
        while True:
            try:
                events = os.read(self._queue, 1 << 16)
            except BlockingIOError:
                return names
            while events:
                *_, length = _EVENT.unpack_from(events)
                name = events[_EVENT.size : _EVENT.size + length].rstrip(b"\0")
                names.add(os.fsdecode(name))
                events = events[_EVENT.size + length :]

    def close(self) -> None:
        os.close(self._queue)


class Listener:
    """Takes whatever comes to one TCP and one UDP port of loopback.

    Attributes:
        port: of both.
        heard: the first bytes of each connection and datagram.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._end, self._told_to_end = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.close()
        self._thread.join()
        for each in (self._tcp, self._udp, self._told_to_end):
            each.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as ready:
            for each in (self._tcp, self._udp, self._told_to_end):
                ready.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._told_to_end:
                        return
                    self._take(key.fileobj is self._tcp)

    def _take(self, is_connection: bool) -> None:
        if not is_connection:
            self.heard.append(self._udp.recv(2048))
            return
        connection, _ = self._tcp.accept()
        with connection:
            connection.settimeout(2)
            try:
                self.heard.append(connection.recv(2048))
            except TimeoutError:
                self.heard.append(b"")
