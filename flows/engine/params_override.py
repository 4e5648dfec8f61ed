"""New values in `params.yaml`, for a deployment that is started with params.

They stay in the file, which git and DVC track, so that `git diff` and `dvc params diff` show what
ran; the next run starts from them. Nothing is written unless the new file passes every check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reelflow.base.errors import ParamsError
from reelflow.base.files import replacing
from reelflow.base.nested import flatten, put
from reelflow.params import load_all


def set_params(path: Path, values: dict[str, Any]) -> None:
    """Set dotted (`{"train.epochs": 3}`) or nested keys; comments and order stay.

    Raises:
        ParamsError: an unknown key, a wrong type, a value out of range; the file is unchanged.
    """
    from ruamel.yaml import YAML

    load_all(path)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000  # breaks no line in two
    content = yaml.load(path.read_text(encoding="utf-8")) or {}
    for name, value in flatten(values).items():
        try:
            put(content, name, value)
        except TypeError as error:
            raise ParamsError(f"{path}: {error}.") from None
    with replacing(path) as draft:
        with draft.open("w", encoding="utf-8") as file:
            yaml.dump(content, file)
        try:
            load_all(draft)
        except ParamsError as error:
            raise ParamsError(str(error).replace(str(draft), str(path))) from None
