"""Model files: the same model is the same bytes, and what is loaded predicts as what was saved."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError
from reelflow.base.files import TEMPORARY_PREFIX
from reelflow.networks import build
from reelflow.training import model_file
from reelflow.training.model_file import load_model, save_model, weights_hash
from reelflow.training.predict_clip import predict_clip

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPE = (3, 16, 16, 3)


def model(seed: int = 0) -> Any:
    deterministic()
    import keras

    keras.utils.set_random_seed(seed)
    # A recurrent network: the configuration of its layers holds addresses (shared objects).
    network = build("cnn_rnn", SHAPE, 2, [100.0] * 3, [50.0] * 3)
    network.compile("adam", "sparse_categorical_crossentropy")
    return network


def test_the_same_model_made_twice_and_saved_at_other_times_is_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save_model(model(), tmp_path / "a.keras")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    kept_alive = model(1)  # other objects, hence other addresses
    second = save_model(model(), tmp_path / "elsewhere/b.keras")
    assert kept_alive.count_params() > 0
    assert first == second
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "elsewhere/b.keras").read_bytes()


def test_the_digest_is_the_sha256_of_the_file_and_tells_models_apart(tmp_path: Path) -> None:
    digest = save_model(model(), tmp_path / "a.keras")
    assert digest == hashlib.sha256((tmp_path / "a.keras").read_bytes()).hexdigest()
    assert digest != save_model(model(1), tmp_path / "b.keras")


def test_the_state_of_the_optimizer_is_left_out(tmp_path: Path) -> None:
    fresh, trained = model(), model()
    weights = fresh.get_weights()
    trained.train_on_batch(np.zeros((2, *SHAPE), np.uint8), np.array([0, 1]))
    trained.set_weights(weights)
    assert save_model(fresh, tmp_path / "a.keras") == save_model(trained, tmp_path / "b.keras")


def test_a_loaded_model_predicts_the_same_floats(tmp_path: Path) -> None:
    saved = model()
    save_model(saved, tmp_path / "a.keras")
    loaded = load_model(tmp_path / "a.keras")
    frames = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    np.testing.assert_array_equal(predict_clip(saved, frames), predict_clip(loaded, frames))
    assert weights_hash(saved) == weights_hash(loaded)
    assert weights_hash(saved) != weights_hash(model(1))


def test_a_clip_of_another_shape_or_type_is_refused_with_what_is_taken() -> None:
    network = model()
    with pytest.raises(DataError, match=r"uint8 \(3, 16, 16, 3\), not uint8 \(2, 16, 16, 3\)"):
        predict_clip(network, np.zeros((2, *SHAPE[1:]), np.uint8))
    with pytest.raises(DataError, match=r"not float32 \(3, 16, 16, 3\)"):
        predict_clip(network, np.zeros(SHAPE, np.float32))


def test_objects_shared_by_layers_stay_shared(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"date_saved": "today", "keras_version": "3"}')
        nodes = [{"shared_object_id": address} for address in (9_000, 140_001, 9_000)]
        archive.writestr("config.json", json.dumps({"layers": nodes}))
    model_file._make_repeatable(path)
    with zipfile.ZipFile(path) as archive:
        numbers = [n["shared_object_id"] for n in json.loads(archive.read("config.json"))["layers"]]
    assert numbers == [1, 2, 1]


def test_a_full_disk_leaves_the_old_model_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.keras"
    digest = save_model(model(), path)

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_file, "_make_repeatable", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(model(1), path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert not list(tmp_path.glob(f"{TEMPORARY_PREFIX}*"))


def test_a_missing_and_a_broken_file_are_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no model at .*: run the stage `train` first"):
        load_model(tmp_path / "none.keras")
    for name, content in {
        "empty": b"",
        "text": b"not a zip",
        "cut": b"PK\x03\x04 and no more",
    }.items():
        path = tmp_path / f"{name}.keras"
        path.write_bytes(content)
        with pytest.raises(DataError, match="is not a readable Keras model"):
            load_model(path)


def test_a_zip_that_is_no_model_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError, match="is not a readable Keras model"):
        load_model(path)


def test_a_model_whose_weights_were_damaged_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    save_model(model(1), path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("model.weights.h5")
    content[entry.header_offset + 100 + entry.file_size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"model\.weights\.h5 is damaged"):
        load_model(path)
