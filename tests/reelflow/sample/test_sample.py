from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupKFold, cross_val_score
from threadpoolctl import threadpool_limits

from reelflow.base.errors import VideoError
from reelflow.extraction.read_clips import read_clip
from reelflow.sample import write_sample
from reelflow.sample.broken import broken
from reelflow.sample.plan import Planned, plan
from reelflow.sample.scene import LABELS, MOTIONS, Scene
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

SMALL = {"clips_per_class": 10, "groups": 5}
# Of a sample apart, of each class.
SCENES = {"train": 6, "test": 2}


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def videos_csv(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "videos.csv")


def planned(number: int) -> Planned:
    return plan(**SMALL, seed=0)[number]


# The files


def test_the_bytes_are_the_same_each_time_however_many_processes_write(
    sample: Path, tmp_path: Path
) -> None:
    write_sample(tmp_path, **SMALL, workers=1)
    assert contents(tmp_path) == contents(sample)


def test_another_seed_gives_other_videos() -> None:
    first, second = (
        Scene(LABELS[0], 0, 0, frames=2, height=96, width=96, seed=seed).render() for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_the_list_names_every_video_that_is_there_and_no_other_file(sample: Path) -> None:
    listed = videos_csv(sample)
    here = {name for name in contents(sample) if "/" in name}
    assert set(listed["path"]) == here
    assert len(listed) == 65
    assert (listed["path"].str.split("/").str[0] == listed["label"]).all()
    assert set(listed["label"]) == set(LABELS)
    assert listed["group"].notna().all()


def test_every_good_video_is_what_the_plan_says_and_no_two_are_alike(
    sample: Path,
) -> None:
    infos = {
        video.path: check_video(sample / video.path, Bounds())
        for video in plan(**SMALL, seed=0)[::3]
    }
    assert len({info.hash for info in infos.values()}) == len(infos)
    for video in plan(**SMALL, seed=0)[::3]:
        info = infos[video.path]
        assert (info.frames, info.height, info.width) == (video.frames, video.height, video.width)
        assert 1.0 <= info.duration <= 3.0


def test_many_containers_codecs_sizes_and_rates_are_there(sample: Path) -> None:
    infos = [
        check_video(sample / video.path, Bounds())
        for video in plan(**SMALL, seed=0)
        if video.label == LABELS[0]
    ]
    assert len({info.container for info in infos}) >= 6
    assert len({info.codec for info in infos}) >= 8
    assert len({(info.height, info.width) for info in infos}) == 5
    assert len({round(info.fps) for info in infos}) >= 6


def test_the_broken_files_cannot_be_decoded_and_each_fails_in_its_own_way(
    sample: Path,
) -> None:
    bad = [path for path in videos_csv(sample)["path"] if "broken" in path]
    codes = []
    for path in bad:
        with pytest.raises(VideoError) as caught:
            check_video(sample / path, Bounds())
        codes.append(caught.value.code)
    assert len(bad) == 5
    assert {"empty", "damaged", "unreadable"} <= set(codes)


def test_broken_files_stay_under_a_quarter_even_of_the_smallest_sample() -> None:
    good = plan(3, 1, 0)
    assert len(broken(good, 0)) / (len(good) + len(broken(good, 0))) < 0.25


# No shortcut leads to the label


def test_what_a_header_tells_is_the_same_in_every_class() -> None:
    def headers(label: str) -> Counter[tuple[object, ...]]:
        return Counter(
            (v.format.muxer, v.format.codec, v.rate, v.frames, v.height, v.width, v.group)
            for v in plan(80, 40, 0)
            if v.label == label
        )

    first = headers(LABELS[0])
    assert all(headers(label) == first for label in LABELS[1:])


def test_every_group_holds_every_class_and_there_are_enough_to_split() -> None:
    of_group: dict[int, set[str]] = {}
    for video in plan(80, 40, 0):
        of_group.setdefault(video.group, set()).add(video.label)
    assert len(of_group) >= 20
    assert all(labels == set(LABELS) for labels in of_group.values())


def test_names_do_not_tell_the_group() -> None:
    by_name = [video.group for video in plan(80, 40, 0) if video.label == LABELS[0]]
    assert by_name != sorted(by_name)
    assert abs(np.corrcoef(np.arange(80), by_name)[0, 1]) < 0.3


def test_apart_each_scene_has_one_class_and_the_test_has_scenes_of_its_own() -> None:
    videos = plan(16, 8, 0, apart=True)
    of_scene: dict[int, set[tuple[str, str]]] = {}
    for video in videos:
        of_scene.setdefault(video.group, set()).add((video.label, video.split))
    assert all(len(found) == 1 for found in of_scene.values())
    splits = Counter(next(iter(found)) for found in of_scene.values())
    assert splits == {(label, split): n for label in LABELS for split, n in SCENES.items()}
    # Nothing in a header tells the class, and all that is told of a video but its scene stays.
    plain = plan(16, 8, 0)
    assert [replace(v, group=0, split="") for v in videos] == [replace(v, group=0) for v in plain]


def heights(motion: str, clips: int = 1000) -> NDArray[np.float64]:
    """Height of the object's centre, (clips, 16), in shares of the frame."""
    boxes = [
        Scene(f"disc_{motion}", 0, clip, frames=16, height=100, width=100).boxes()
        for clip in range(clips)
    ]
    found: NDArray[np.float64] = np.stack([box[:, 1] + box[:, 3] / 2 for box in boxes]) / 100
    return found


def test_where_the_object_is_in_a_frame_says_nothing_about_the_motion() -> None:
    found = {motion: heights(motion) for motion in MOTIONS}
    for motion in ("climbing", "sinking"):
        for frame in (0, 8, 15):
            same = ks_2samp(found["bobbing"][:, frame], found[motion][:, frame])
            assert same.pvalue > 0.005, (motion, frame)


def test_frames_in_disorder_say_nothing_about_the_motion() -> None:
    found = {motion: np.sort(heights(motion), axis=1) for motion in MOTIONS}
    for motion in ("climbing", "sinking"):
        for rank in (0, 5, 10, 15):
            same = ks_2samp(found["bobbing"][:, rank], found[motion][:, rank])
            assert same.pvalue > 0.005, (motion, rank)


def test_frames_in_order_tell_the_motion() -> None:
    for motion, up_share in MOTIONS.items():
        going_up = (np.diff(heights(motion), axis=1) < 0).mean(axis=1)
        assert np.abs(going_up - up_share).max() < 0.14


def test_a_classifier_of_single_or_averaged_frames_is_near_chance_for_the_motion() -> None:
    clips = [(m, group, clip) for m in MOTIONS for group in range(10) for clip in range(6)]
    frames = np.stack(
        [
            Scene(f"disc_{motion}", group, clip, frames=16, height=32, width=32).render()
            for motion, group, clip in clips
        ]
    )[:, :, ::2, ::2].mean(axis=4)
    motions, groups = [c[0] for c in clips], [c[1] for c in clips]
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    for pictures in (frames[:, 0], frames[:, 8], frames.mean(axis=1)):
        flat = pictures.reshape(len(clips), -1)
        with threadpool_limits(1):  # threads of tiny matrices wait for each other
            scores = cross_val_score(model, flat, motions, groups=groups, cv=GroupKFold(5))
        assert scores.mean() < 0.45  # a third is chance, 180 clips


def test_the_look_is_drawn_for_both_shapes_with_the_same_paint() -> None:
    disc, star = (
        Scene(f"{shape}_bobbing", 3, 0, frames=1, height=96, width=96) for shape in ("disc", "star")
    )
    assert disc.boxes().shape == star.boxes().shape == (1, 4)
    assert not np.array_equal(disc.render(), star.render())


# The true boxes


def without_object(scene: Scene) -> NDArray[np.uint8]:
    """The frames without the object and its shadow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reelflow.sample.scene._draw", lambda *_: None)
        return scene.render()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("size", [(96, 96), (120, 160), (128, 96)])
def test_boxes_lie_in_the_central_square_and_are_a_fifth_of_it_or_more(
    label: str, size: tuple[int, int]
) -> None:
    height, width = size
    side = min(size)
    for clip in range(20):
        boxes = Scene(label, 1, clip, frames=24, height=height, width=width).boxes()
        left, top, wide, high = boxes.T
        assert (left >= (width - side) / 2).all() and (top >= (height - side) / 2).all()
        assert (left + wide <= (width + side) / 2).all()
        assert (top + high <= (height + side) / 2).all()
        assert (wide >= 0.2 * side).all() and (high >= 0.2 * side).all()


def test_the_boxes_beside_the_videos_show_where_the_object_is_in_the_decoded_frames(
    sample: Path,
) -> None:
    boxes = pd.read_csv(sample / "boxes.csv")
    for number in (0, 17, 34, 51):
        video = planned(number)
        own = boxes[boxes["path"] == video.path]
        spec = ClipSpec(video.frames, video.height, video.width)
        shown = read_clip(sample / video.path, spec).frames.astype(int)
        empty = without_object(video.scene(0))
        change = np.abs(shown - empty).mean(axis=3)
        assert list(own["frame"]) == list(range(video.frames))
        for frame, row in enumerate(own.itertuples()):
            y, x = np.mgrid[: video.height, : video.width] + 0.5
            inside = (x > row.x) & (x < row.x + row.width) & (y > row.y) & (y < row.y + row.height)
            near = (x > row.x - 4) & (x < row.x + row.width + 12)
            near &= (y > row.y - 4) & (y < row.y + row.height + 12)  # the shadow is no object
            assert change[frame][inside].mean() > 15  # a star fills a third of its box
            assert change[frame][~near].mean() < 8


@pytest.mark.parametrize("label", ["disc_bobbing", "star_sinking"])
def test_boxes_are_tight(label: str) -> None:
    scene = Scene(label, 2, 5, frames=12, height=96, width=128)
    whole, empty = scene.render(), without_object(scene)
    for frame, (left, top, _, _) in enumerate(scene.boxes()):
        # Left and above, where no shadow falls, the first changed pixel is the object's.
        changed = np.abs(whole[frame].astype(int) - empty[frame]).max(axis=2) > 30
        rows, columns = np.nonzero(changed)
        assert abs(rows.min() - top) < 2.5 and abs(columns.min() - left) < 2.5
