"""Time and memory of `reelflow inspect` by the length of a video: python -m benchmarks.inspect

Makes videos of 320x240, five frames a second, with a moving picture and noise, and inspects each
alone. Peak memory is that of the largest process of each kind: ours, and the decoder's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reelflow.video.ffmpeg import ffmpeg_exe

MINUTES = (1, 10, 120)
INSPECT = """
import json, resource, sys
from reelflow.video.process_limits import Bounds
from reelflow.video.inspection import inspect
found = inspect(sys.argv[1], Bounds(timeout_s=600)).to_dict()
assert found["usable"], found
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps([found["frames"], found["duration"], peak]))
"""


def main() -> None:
    print("| minutes | frames | MB of file | seconds | peak of ours, MiB | of a decoder, MiB |")
    print("|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in MINUTES:
            path = Path(folder) / f"{minutes}.mp4"
            _make(path, minutes * 60)
            started = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", INSPECT, str(path)], check=True, stdout=subprocess.PIPE
            )
            seconds = time.monotonic() - started
            frames, _, ours = json.loads(done.stdout)
            size = path.stat().st_size / 1e6
            print(
                f"| {minutes} | {frames} | {size:.1f} | {seconds:.1f} | {ours} | {_decoder(path)} |"
            )


def _make(path: Path, seconds: int) -> None:
    picture = f"testsrc2=size=320x240:rate=5:duration={seconds},noise=alls=8:allf=t"
    subprocess.run(
        [
            *(ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "250", str(path)),
        ],
        check=True,
    )


def _decoder(path: Path) -> int:
    """Peak of ffmpeg alone, started by a small process: a large one would be counted with it."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    )
    decode = [ffmpeg_exe(), "-nostdin", "-v", "error", "-threads", "1", "-i", str(path)]
    done = subprocess.run(
        [sys.executable, "-S", "-c", script, *decode, "-f", "null", "-"],
        check=True,
        stdout=subprocess.PIPE,
    )
    return int(done.stdout)


if __name__ == "__main__":
    main()
