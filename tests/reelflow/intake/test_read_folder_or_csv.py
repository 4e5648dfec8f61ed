"""Sources of any form, read into path, label, group and split."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.base.errors import DataError
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.read_folder_or_csv import Form, csv_paths, read_source


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def listed(root: Path, text: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "list.csv").write_text(text, encoding="utf-8")
    return root / "list.csv"


def test_columns_of_any_name_are_mapped(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.avi", "2.avi")
    csv = listed(tmp_path, "file,species,cam,set\na/1.avi,fox,c1,Training\n2.avi,owl,,\n")
    found = read_source(csv, Form("file", "species", "cam", "set"))
    assert found.videos == [
        LabelledVideo("2.avi", "owl"),
        LabelledVideo("a/1.avi", "fox", "c1", "train"),
    ]


def test_a_path_may_be_made_of_columns_with_whole_numbers_to_width(tmp_path: Path) -> None:
    fill(tmp_path, "run/x_000007_000012.mp4")
    csv = listed(tmp_path, "label,id,start,end\nrun,x,7,12.0\n")
    form = Form(path="{label}/{id}_{start:06d}_{end:06d}.mp4", group="{id}-{label}")
    assert read_source(csv, form).videos == [
        LabelledVideo("run/x_000007_000012.mp4", "run", "x-run")
    ]


def test_a_template_that_a_cell_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    csv = listed(tmp_path, "label,start\nrun,soon\n")
    with pytest.raises(DataError, match="row 2 has 'soon' for start"):
        read_source(csv, Form(path="{start:06d}.mp4"))
    with pytest.raises(DataError, match="is no template of columns"):
        read_source(csv, Form(path="{start"))


def test_a_template_reaches_cells_and_nothing_else(tmp_path: Path) -> None:
    csv = listed(tmp_path, "label,start\nrun,1\n")
    with pytest.raises(DataError, match="lacks the column label.__class__"):
        read_source(csv, Form(path="{label.__class__}"))


def test_the_folder_can_be_the_group(tmp_path: Path) -> None:
    fill(tmp_path / "set", "fox/cam1/day/a.avi", "fox/b.avi", "owl/cam1/c.avi")
    videos = read_source(tmp_path / "set", Form(group="folder")).videos
    assert [(v.path, v.group) for v in videos] == [
        ("fox/b.avi", None),
        ("fox/cam1/day/a.avi", "cam1/day"),
        ("owl/cam1/c.avi", "cam1"),
    ]
    csv = listed(tmp_path / "set", "path,label\nfox/cam1/day/a.avi,x\n")
    assert read_source(csv, Form(group="folder")).videos[0].group == "fox/cam1/day"


def test_a_pattern_reads_the_group_where_no_column_gives_one(tmp_path: Path) -> None:
    fill(tmp_path, "a_g1_.avi", "b_g2_.avi")
    csv = listed(tmp_path, "path,label,group\na_g1_.avi,x,own\nb_g2_.avi,x,\n")
    videos = read_source(csv, Form(group_pattern=r"_(?P<group>g\d)_")).videos
    assert [video.group for video in videos] == ["own", "g2"]
    for pattern, says in ((r"\d(", "no regular expression"), (r"g\d", "names no part")):
        with pytest.raises(DataError, match=says) as caught:
            read_source(csv, Form(group_pattern=pattern))
        assert f"'{pattern}'" in str(caught.value)  # as it was typed, to be copied


def test_values_of_the_split_are_given_a_meaning(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{n}.avi" for n in range(6)))
    values = ("dev", "Validate", "1", "x", "", "testing")
    rows = "".join(f"{n}.avi,a,{value}\n" for n, value in enumerate(values))
    csv = listed(tmp_path, "path,label,split\n" + rows)
    with pytest.raises(DataError, match="has the split '1', 'x'; say what.*split-value 1=train"):
        read_source(csv)
    found = read_source(csv, Form(split_values={"1": "skip", "x": "none"}))
    assert [v.split for v in found.videos] == ["validation", "validation", None, None, "test"]
    assert found.skipped == ["2.avi"]
    with pytest.raises(DataError, match="split-value 1=training: it may mean train, validation"):
        read_source(csv, Form(split_values={"1": "training", "x": "none"}))


def test_paths_of_windows_are_understood(tmp_path: Path) -> None:
    fill(tmp_path, "cam1/a.avi", "odd\\name.avi")
    csv = listed(tmp_path, "path,label\ncam1\\a.avi,x\nodd\\name.avi,x\n")
    assert [v.path for v in read_source(csv).videos] == ["cam1/a.avi", "odd\\name.avi"]


def test_paths_may_begin_elsewhere_and_files_may_be_missing(tmp_path: Path) -> None:
    fill(tmp_path / "videos", "a.avi")
    csv = listed(tmp_path / "lists", "path,label\na.avi,x\nb.avi,x\n")
    found = read_source(csv, folder=tmp_path / "videos")
    assert [v.path for v in found.videos] == ["a.avi"]
    assert found.missing == ["b.avi"]
    with pytest.raises(DataError, match="is not a folder"):
        read_source(csv, folder=tmp_path / "absent")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (Form(path="file"), "lacks the column file; it has filepath, species, camera. Did you "),
        (
            Form("filepath"),
            "lacks the column label; it has filepath, species, camera, folder, name, path. Name",
        ),
        (Form("filepath", "specie"), "Did you mean `species`? Name the column of the label"),
        (Form("filepath", "species", "station"), "the option `--group`"),
        (Form("filepath", "species"), "names a.avi twice, as 'fox' and as 'owl'"),
    ],
)
def test_a_csv_that_is_not_as_the_form_says_is_a_sentence(
    tmp_path: Path, form: Form, says: str
) -> None:
    fill(tmp_path, "a.avi")
    csv = listed(tmp_path, "filepath,species,camera\na.avi,fox,1\na.avi,owl,1\n")
    with pytest.raises(DataError) as error:
        read_source(csv, form)
    assert says in str(error.value)


def test_a_folder_per_class_has_no_other_columns(tmp_path: Path) -> None:
    fill(tmp_path / "set", "fox/a.avi")
    with pytest.raises(
        DataError, match="lacks the column station; it has path, label, folder, name"
    ):
        read_source(tmp_path / "set", Form(group="station"))


def test_a_csv_can_name_paths_alone(tmp_path: Path) -> None:
    csv = listed(tmp_path, "file;why\na\\b.avi;blurred\n")
    assert csv_paths(csv, tmp_path, Form("file")) == ["a/b.avi"]
