from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reelflow.base.errors import ParamsError
from reelflow.params import SECTIONS, load_all, load_section
from reelflow.params.extract import ExtractParams
from reelflow.params.train import TrainParams
from tests.conftest import ROOT


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_holds_every_knob_and_the_defaults_of_the_code() -> None:
    shipped = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    sections = load_all(ROOT / "params.yaml")
    assert tuple(shipped) == SECTIONS
    for name, section in sections.items():
        assert set(shipped[name]) == set(type(section).model_fields), name
        assert section == type(section)(), f"a default of {name} is another in the code"


def test_every_knob_of_the_shipped_file_has_a_comment() -> None:
    for line in (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            assert "  # " in line, line


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_section(write(tmp_path / "p.yaml", ""), TrainParams) == TrainParams()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train:\n  epoch: 3\n", ["unknown key `train.epoch`", "Did you mean `train.epochs`?"]),
        ("trian: {}\n", ["unknown section `trian`", "Did you mean `train`?"]),
        ("train:\n  epochs: many\n", ["`train.epochs` is 'many'", "valid integer"]),
        ("train:\n  epochs: 0\n", ["`train.epochs` is 0", "greater than or equal to 1"]),
        ("train:\n  network: resnet\n", ["'resnet'", "'cnn', 'cnn_rnn', 'finetune', 'flow', "]),
        ("extract:\n  frames: 16.5\n", ["`extract.frames` is 16.5", "integer"]),
        (
            "train:\n  width: 8\n",
            [
                "unknown key `train.width`. Did you mean `train.r2plus1d.width` or ",
                "`train.x3d.width`?",
            ],
        ),
        ("train:\n  dropout: 0.1\n", ["`train.cnn_rnn.dropout` or `train.finetune.dropout` or "]),
        (
            "train:\n  r2plus1d:\n    widht: 8\n",
            ["Did you mean `train.r2plus1d.width`? The keys of `train.r2plus1d` are width, "],
        ),
        (
            "train:\n  cnn_rnn:\n    recurrent: rnn\n",
            ["`train.cnn_rnn.recurrent` is 'rnn'; allowed is 'gru' or 'lstm'."],
        ),
        (
            "train:\n  auto:\n    challengers: [r2plus1d, resnet]\n",
            [
                "unknown key `train.auto.challengers.resnet`",
                "The keys of `train.auto.challengers` are cnn, ",
            ],
        ),
        (
            "train:\n  auto:\n    challengers: [transfer]\n",
            ["unknown key `train.auto.challengers.transfer`"],
        ),
        (
            "train:\n  auto:\n    challengers: {x3d: {widht: 8}}\n",
            ["Did you mean `train.auto.challengers.x3d.width`?"],
        ),
        (
            "train:\n  auto:\n    challengers: x3d\n",
            ["`train.auto.challengers` is 'x3d'; allowed is keys and values."],
        ),
        ("train:\n  cnn: 3\n", ["`train.cnn` is 3; allowed is keys and values."]),
        ("ingest:\n  group_pattern: '('\n", ["`ingest.group_pattern`", "regular expression"]),
        ("ingest:\n  group_pattern: 'g(.)'\n", ["(?P<group>...)"]),
        ("ingest:\n  group_pattern: '_(g\\d+)_'\n", [r"is '_(g\d+)_'; allowed"]),
        ("train: 3\n", ["`train` must hold keys and values"]),
        ("- a\n", ["must hold sections"]),
        ("train: [\n", ["not valid YAML"]),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(
    tmp_path: Path, text: str, says: list[str]
) -> None:
    # Any section is loaded here: a fault in one stops the stages of all.
    with pytest.raises(ParamsError) as error:
        load_section(write(tmp_path / "p.yaml", text), ExtractParams)
    for words in says:
        assert words in str(error.value)


def test_challengers_are_names_or_names_with_settings(tmp_path: Path) -> None:
    def in_use(given: str) -> dict[str, object]:
        text = f"train:\n  auto:\n    challengers: {given}\n"
        train = load_section(write(tmp_path / "p.yaml", text), TrainParams)
        # As a fold gets them.
        assert TrainParams.model_validate(train.model_dump(mode="json")) == train
        return {name: at for name, at in train.in_use().items() if "challengers" in name}

    assert in_use("[]") == {}
    both = in_use("[x3d, flow]")
    assert both == in_use("{x3d: {}, flow: }")
    assert both["auto.challengers.flow.dropout"] == 0.2
    assert {name.split(".")[2] for name in both} == {"x3d", "flow"}
    assert in_use("{x3d: {width: 8}}")["auto.challengers.x3d.width"] == 8


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ParamsError) as error:
        load_all(write(tmp_path / "p.yaml", "train:\n  epochs: 0\nextract:\n  frames: 0\n"))
    assert "train.epochs" in str(error.value)
    assert "extract.frames" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"absent\.yaml does not exist"):
        load_all(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("places: 3", "`extract.places` is 3; allowed is a divisor of extract.frames, which is 16"),
        ("box: [0.5, 0.0, 0.6, 1.0]", "within the picture, each from 0 to 1"),
        ("box: [0.0, 0.0, 1.0]", "`extract.box` is [0.0, 0.0, 1.0]; allowed is"),
        ("sampler: keyframe", "allowed is 'uniform', 'segments', 'fps', 'dense' or"),
        ("per_segment: 2", "an odd number, so that each segment has a middle frame"),
        ("crops: 2", "`extract.crops` is 2; allowed is 1 or 3"),
        ("fit: pad\n  crops: 3", "1, unless extract.fit is crop"),
    ],
)
def test_what_fits_no_clip_is_refused(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"extract:\n  {line}\n", encoding="utf-8")
    with pytest.raises(ParamsError) as error:
        load_all(path)
    assert words in str(error.value)
