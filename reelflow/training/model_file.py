"""Saving a Keras model so that the same model is the same bytes, and loading it back.

A `.keras` file is a zip of two JSON texts and an HDF5 file. Keras writes the time into the zip
entries and into `metadata.json`, and memory addresses into `config.json`; the former become a
constant here, the latter are numbered from one. The optimizer is left out: it is not needed to
predict and triples the file. The file stays an ordinary `.keras` file, which
`keras.models.load_model` reads anywhere.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError
from reelflow.base.files import replacing

if TYPE_CHECKING:
    import keras

# The earliest time a zip entry can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)


def save_model(model: keras.Model, path: Path) -> str:
    """Write `model` to `path` (`*.keras`), atomically; return the sha256 of the file.

    Equal architecture and weights give equal bytes, whatever the hour or the process.
    """
    import keras

    bare = keras.Model.from_config(model.get_config())
    bare.set_weights(model.get_weights())
    with replacing(path) as temporary:
        bare.save(temporary)
        _make_repeatable(temporary)
        return hashlib.sha256(temporary.read_bytes()).hexdigest()


def load_model(path: Path) -> keras.Model:
    """Load a model for prediction. Raises `DataError` if there is none or it cannot be read."""
    deterministic()
    import keras

    if not path.is_file():
        raise DataError(f"There is no model at {path}: run the stage `train` first.")
    try:
        _refuse_damaged(path)
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} is not a readable Keras model ({error}). Run the stage `train` again."
        ) from None


def _refuse_damaged(path: Path) -> None:
    """Weights are read here and there in the file, which compares no checksums; this does."""
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise zipfile.BadZipFile(f"{damaged} is damaged")


def weights_hash(model: keras.Model) -> str:
    """The sha256 of all weights, in order, with their shapes."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(f"{weight.dtype.str}{weight.shape}".encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()


def _make_repeatable(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(entries["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    entries["metadata.json"] = json.dumps(metadata, sort_keys=True).encode()
    config = json.loads(entries["config.json"])
    _number_shared_objects(config, {})
    entries["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)


def _number_shared_objects(node: Any, numbers: dict[int, int]) -> None:
    """Replace each `shared_object_id`, an address, by its place in the order of appearance."""
    if isinstance(node, dict):
        if "shared_object_id" in node:
            address = node["shared_object_id"]
            node["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
        for value in node.values():
            _number_shared_objects(value, numbers)
    elif isinstance(node, list):
        for value in node:
            _number_shared_objects(value, numbers)
