"""Files that name other files or addresses: playlists, scripts, descriptions, external tracks.

In the texts, @canary@ stands for the path of a good video that must not be opened, @url@ for an
address at which a listener waits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.hostile.boxes import box, data_reference, equal_sizes, mp4, one_chunk, sample_table
from tests.hostile.workshop import Bait, Case, Workshop

# Name of the file: the code by which it must be set aside, and its text.
TEXTS: dict[str, tuple[str, str]] = {
    "concat_path.mp4": ("format", "ffconcat version 1.0\nfile '@canary@'\n"),
    "concat_beside.txt": ("format", "ffconcat version 1.0\nfile 'bait.ts'\n"),
    "concat_up.mp4": ("format", "ffconcat version 1.0\nfile '../@folder@/x.ts'\n"),
    "concat_url.ffconcat": ("format", "ffconcat version 1.0\nfile 'file:@canary@'\n"),
    "concat_http.mp4": ("format", "ffconcat version 1.0\nfile '@url@'\n"),
    "concat_subfile.mp4": (
        "format",
        "ffconcat version 1.0\nfile 'subfile,,start,0,end,0,,:@canary@'\n",
    ),
    "concat_options.mp4": (
        "format",
        "ffconcat version 1.0\nfile '@canary@'\noption protocol_whitelist file,http,tcp\n",
    ),
    "hls_path.m3u8": ("unreadable", "@hls@@segment@"),
    "hls_as_mp4.mp4": ("unreadable", "@hls@# no video\n@segment@"),
    "hls_http.m3u8": ("unreadable", "@hls@#EXTINF:9,\n@url@\n@end@"),
    "hls_rtmp.m3u8": ("unreadable", "@hls@#EXTINF:9,\nrtmp://127.0.0.1:@port@/a/b\n@end@"),
    "hls_tcp.m3u8": ("unreadable", "@hls@#EXTINF:9,\ntcp://127.0.0.1:@port@\n@end@"),
    "hls_udp.m3u8": ("unreadable", "@hls@#EXTINF:9,\nudp://127.0.0.1:@port@\n@end@"),
    "hls_data.m3u8": ("unreadable", "@hls@#EXTINF:9,\ndata:video/mp2t;base64,R0AAEA==\n@end@"),
    "hls_concat.m3u8": ("unreadable", "@hls@#EXTINF:9,\nconcat:@canary@|@canary@\n@end@"),
    "hls_crypto.m3u8": (
        "unreadable",
        '@hls@#EXT-X-KEY:METHOD=AES-128,URI="@canary@",IV=0x0\n@segment@',
    ),
    "hls_map.m3u8": ("unreadable", '@hls@#EXT-X-MAP:URI="@canary@"\n@segment@'),
    "hls_byterange.m3u8": (
        "unreadable",
        "@hls@#EXTINF:9,\n#EXT-X-BYTERANGE:188@0\n@canary@\n@end@",
    ),
    "hls_master.m3u8": ("unreadable", "@hls@#EXT-X-STREAM-INF:BANDWIDTH=1\n@url@\n"),
    "plain.m3u": ("unreadable", "@canary@\n@url@\n"),
    "winamp.pls": ("format", "[playlist]\nFile1=@url@\nNumberOfEntries=1\n"),
    "real.ram": ("unreadable", "rtsp://127.0.0.1:@port@/a.rm\n"),
    "windows.asx": ("unreadable", '<asx version="3.0"><entry><ref href="@url@"/></entry></asx>'),
    "windows.url": ("format", "[InternetShortcut]\nURL=@url@\n"),
    "windows.avs": ("unreadable", 'AviSource("@canary@")\n'),
    "lavfi.mp4": ("unreadable", "movie=@canary@"),
    "smil.smil": ("unreadable", '<smil><body><video src="@url@"/></body></smil>'),
    "xspf.xspf": ("unreadable", "<playlist><location>@url@</location></playlist>"),
    "dash.mpd": (
        "format",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet '
        'mimeType="video/mp4"><Representation id="1"><BaseURL>@url@</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
    ),
    "dash_entity.mpd": (
        "format",
        '<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY x SYSTEM "file://@canary@">]>'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:'
        'isoff-live:2011"><Period><BaseURL>&x;</BaseURL></Period></MPD>',
    ),
    "imf.xml": (
        "unreadable",
        '<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>urn:uuid:'
        "0</Id><Path>@canary@</Path></CompositionPlaylist>",
    ),
    "phone.sdp": (
        "format",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video @port@ "
        "RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ),
    "picture.svg": (
        "unreadable",
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="48">'
        '<image href="file://@canary@" width="64" height="48"/></svg>',
    ),
    "chapters.txt": ("format", ";FFMETADATA1\ntitle=@canary@\n"),
    "subtitles.idx": ("format", "# VobSub index file, v7\nid: en, index: 0\n# @canary@\n"),
    "subtitles.srt": ("format", "1\n00:00:00,000 --> 00:00:01,000\n<img src='bait.ts'/>\n"),
}


def _text(text: str) -> Callable[[Workshop], bytes]:
    def make(workshop: Workshop) -> bytes:
        bait = workshop.bait
        known = {
            "@hls@": "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:9\n",
            "@segment@": "#EXTINF:9,\n@canary@\n@end@",
            "@end@": "#EXT-X-ENDLIST\n",
            "@folder@": bait.canary.parent.name,
            "@canary@": str(bait.canary),
            "@url@": bait.url,
            "@port@": str(bait.port),
        }
        told = text
        for word, meaning in known.items():
            told = told.replace(word, meaning)
        return told.encode()

    return make


def _elsewhere(kind: bytes, content: Callable[[Bait], bytes]) -> Callable[[Workshop], bytes]:
    """A movie whose pictures lie in another file."""

    def make(workshop: Workshop) -> bytes:
        table = sample_table(samples=1, sizes=equal_sizes(100, 1), chunks=one_chunk())
        return mp4(data_reference(kind, content(workshop.bait)), table)

    return make


def _reference_movie(workshop: Workshop) -> bytes:
    url = workshop.bait.url.encode()
    rdrf = box(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(url)), url)
    return box(b"moov", box(b"rmra", box(b"rmda", rdrf)))


def _alias(path: bytes, levels: int) -> bytes:
    """An alias of the Macintosh: the path of a file, and how many folders up and down it lies (-1:
    the path is absolute)."""
    head = bytes(4) + struct.pack(">HH", 150, 2) + bytes(2)
    volume = b"\x01x".ljust(28, b"\0") + bytes(12)
    name = bytes([min(63, len(path))]) + path[-63:].ljust(63, b"\0")
    place = bytes(16) + struct.pack(">hh", levels, levels) + bytes(16)
    full = struct.pack(">HH", 2, len(path) + 1) + b"x" + path + bytes((len(path) + 1) % 2)
    return head + volume + name + place + full + struct.pack(">HH", 0xFFFF, 0)


REFERENCES: dict[str, Case] = {
    **{name: (code, _text(text)) for name, (code, text) in TEXTS.items()},
    "track_url.mp4": (
        "no_frames",
        _elsewhere(b"url ", lambda bait: b"file://" + bytes(bait.canary) + b"\0"),
    ),
    "track_http.mp4": ("no_frames", _elsewhere(b"url ", lambda bait: bait.url.encode() + b"\0")),
    "track_alias.mov": (
        "no_frames",
        _elsewhere(b"alis", lambda bait: _alias(bytes(bait.canary), -1)),
    ),
    "track_beside.mov": ("no_frames", _elsewhere(b"alis", lambda _: _alias(b"/bait.ts", 1))),
    "reference.mov": ("no_video", _reference_movie),
}
