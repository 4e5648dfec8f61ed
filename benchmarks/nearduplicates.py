"""How many copies of real clips are found, and how many others are taken for copies.

    python -m benchmarks.nearduplicates DIR…      # folders of clips; see docs/near-duplicates.md

Of clips in the folders (none named: of generated sample videos) ffmpeg makes copies of each kind.
Recall: the share of copies that are found to be near-duplicates of their original. Precision: the
share of true ones among the pairs that are found between all copies of the kind and all originals.
Pairs among the originals themselves are listed apart, for a person to look at.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from reelflow.base.errors import VideoError
from reelflow.base.parallel import each
from reelflow.dataset.fingerprints import Keys, Pictures, fingerprint, keys
from reelflow.dataset.near_duplicates import Pair, find
from reelflow.params.ingest import IngestParams
from reelflow.sample.write import write_sample
from reelflow.video.check_by_decoding import check_video
from reelflow.video.ffmpeg import ffmpeg_exe
from reelflow.video.process_limits import Bounds
from reelflow.video.thumbnails import Thumbnails

LEAST = IngestParams().min_likeness
ENCODED = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
KINDS: dict[str, tuple[str, ...]] = {
    "encoded again (MPEG-4)": ("-c:v", "mpeg4", "-q:v", "12"),
    "encoded badly (H.264, CRF 38)": ("-crf", "38", *ENCODED),
    "rescaled to 160 wide": ("-vf", "scale=160:-2", *ENCODED),
    "at 12 frames a second": ("-vf", "fps=12", *ENCODED),
    "first quarter cut off": ("-ss", "{quarter}", *ENCODED),
    "last 40 % cut off": ("-t", "{most}", *ENCODED),
    "mirrored": ("-vf", "hflip,scale=trunc(iw/2)*2:trunc(ih/2)*2", *ENCODED),
    "letter-boxed": ("-vf", "pad=trunc(iw/2)*2:trunc(ih*2/3)*2:0:-1", *ENCODED),
    "pillar-boxed": ("-vf", "pad=trunc(iw*2/3)*2:trunc(ih/2)*2:-1:0", *ENCODED),
    "brighter, with more contrast": ("-vf", "eq=brightness=0.08:contrast=1.2,"
                                     "scale=trunc(iw/2)*2:trunc(ih/2)*2", *ENCODED),
    "mirrored, small, cut, encoded badly": ("-ss", "{quarter}", "-vf", "hflip,scale=120:-2",
                                            "-crf", "34", *ENCODED),
}  # fmt: skip
Prints = dict[str, Pictures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--most", type=int, default=100, help="clips of a folder, at the most")
    parser.add_argument("--show", type=Path, help="folder for pictures of the pairs of originals")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folders = asked.folders
        if not folders:
            folders = [scratch / "sample"]
            write_sample(folders[0])
        for folder in folders:
            measure(folder, scratch / folder.name, asked.most, asked.show)
    growth()


def measure(folder: Path, scratch: Path, most: int, show: Path | None) -> None:
    originals = _fingerprints(sorted(path for path in folder.rglob("*") if path.is_file()))
    chosen = np.random.default_rng(0).permutation(sorted(originals))[:most]
    print(f"\n{folder.name}: {len(originals)} clips, of which {len(chosen)} are copied\n")
    print("| | copies | recall | precision |\n|---|---|---|---|")
    for number, (kind, options) in enumerate(KINDS.items()):
        copies = _copies([Path(name) for name in chosen], scratch / str(number), options)
        made = _fingerprints(sorted(copies))
        pairs = [p for p in _pairs({**originals, **made}) if (p.one in made) != (p.other in made)]
        true = [p for p in pairs if str(copies.get(Path(p.one)) or copies[Path(p.other)]) in
                (p.one, p.other)]  # fmt: skip
        precision = f"{len(true) / len(pairs):.3f}" if pairs else "-"
        print(f"| {kind} | {len(made)} | {len(true) / len(made):.3f} | {precision} |", flush=True)
    among = _pairs(originals)
    print(
        f"\nAmong the originals: {len(among)} of "
        f"{len(originals) * (len(originals) - 1) // 2:,} pairs"
    )
    if show:
        _show(among, originals, show / folder.name)


def growth() -> None:
    """Seconds to find the pairs of clips of four seconds that have nothing in common."""
    print("\n| clips | seconds |\n|---|---|")
    for count in (1_000, 10_000, 100_000):
        random = np.random.default_rng(0)
        nothing = np.empty(0, np.uint64)
        videos = {
            f"{at:08}": Keys(random.integers(0, 2**64, 28, np.uint64), np.arange(28), nothing)
            for at in range(count)
        }
        began = time.perf_counter()
        find(videos, lambda _: np.zeros((32, 16, 16), np.uint8), LEAST)
        print(f"| {count:,} | {time.perf_counter() - began:.1f} |", flush=True)


def _pairs(prints: Prints) -> list[Pair]:
    return find({name: keys(print_) for name, print_ in prints.items()}, prints.__getitem__, LEAST)


def _fingerprints(paths: Sequence[Path]) -> Prints:
    return {
        str(path): print_ for path, print_ in each(_one, paths, 0) if isinstance(print_, np.ndarray)
    }


def _one(path: Path) -> Pictures | None:
    thumbnails = Thumbnails()
    try:
        check_video(path, Bounds(), thumbnails=thumbnails)
    except VideoError:
        return None
    return fingerprint(thumbnails.pictures)


def _copies(paths: list[Path], folder: Path, options: tuple[str, ...]) -> dict[Path, Path]:
    """The original of each copy."""
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(partial(_copy, folder, options), range(len(paths)), paths))
    return dict(zip(made, paths, strict=True))


def _copy(folder: Path, options: tuple[str, ...], number: int, path: Path) -> Path:
    info = check_video(path, Bounds())
    times = {"quarter": f"{info.duration / 4:.3f}", "most": f"{0.6 * info.duration:.3f}"}
    copy = folder / f"{number}.mkv"
    command = [ffmpeg_exe(), "-nostdin", "-v", "error", "-i", path, "-an", "-sn"]
    subprocess.run([*command, *(o.format(**times) for o in options), copy], check=True)
    return copy


def _show(pairs: list[Pair], prints: Prints, folder: Path) -> None:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, pair in enumerate(sorted(pairs, key=lambda p: p.likeness)):
        rows = [np.concatenate(list(row), axis=1) for row in _together(pair, prints)]
        picture = Image.fromarray(np.concatenate(rows)).resize((960, 240))
        picture.save(folder / f"{number:03}-{pair.likeness:.2f}.png")
        print(number, pair.likeness, pair.shift, pair.mirrored, pair.one, pair.other)


def _together(pair: Pair, prints: Prints) -> Iterator[Pictures]:
    shift = round(pair.shift * 8)
    one, other = prints[pair.one], prints[pair.other]
    begin, end = max(0, shift), min(len(one), len(other) + shift)
    places = np.linspace(begin, end - 1, 8).astype(int)
    yield one[places]
    yield (other[:, :, ::-1] if pair.mirrored else other)[places - shift]


if __name__ == "__main__":
    main()
