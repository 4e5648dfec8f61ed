"""`reelflow networks`: which networks there are, what each is for, and what each costs here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json
from cli.printing import show_table
from tasks.common.paths import PARAMS

if TYPE_CHECKING:
    import keras


def networks(
    classes: Annotated[int, typer.Option(min=2, help="Classes to tell apart.")] = 2,
    as_json: Json = False,
) -> None:
    """List the networks: what each is for, its parameters, its work and time a clip.

    Clips and settings are those of params.yaml. Work is counted in millions of multiply-adds; the
    time is that of one clip on this machine, without reading the video. Of `transfer` these are the
    pretrained networks, which look at each video once.
    """
    rows = list(_rows(classes))
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    numbers = [(name, "right") for name in ("parameters", "M multiply-adds", "ms a clip")]
    show_table(
        [("network", "left"), *numbers, ("what it is for", "fold")],
        ([row["network"], *_cells(row), row["purpose"]] for row in rows),
    )


def _rows(classes: int) -> Iterator[dict[str, Any]]:
    import numpy as np

    from reelflow.base.determinism import deterministic
    from reelflow.networks import NETWORKS, build, module_of, reads
    from reelflow.params import section_or_defaults
    from reelflow.params.extract import ExtractParams
    from reelflow.params.train import TrainParams

    params = section_or_defaults(PARAMS, TrainParams)
    clip = section_or_defaults(PARAMS, ExtractParams)
    shape = (clip.frames, clip.height, clip.width, 3)
    frames = np.zeros((1, *shape), np.uint8)
    deterministic()
    for name in NETWORKS:
        row = {"network": name, "purpose": module_of(name).PURPOSE, "reads": reads(name)}
        if row["reads"] == "frames":
            network = build(name, shape, classes, [0.0] * 3, [1.0] * 3, params.settings(name))
            row |= _costs([(network, 1)], partial(network.predict_on_batch, frames))
        elif row["reads"] == "embeddings":
            row |= _costs_of_embedding()
        yield row


def _costs_of_embedding() -> dict[str, Any]:
    """Of the pretrained networks, which look at each video once; the head costs next to nothing."""
    import numpy as np

    from reelflow.embeddings.embed import Seen, features_of, networks_of
    from reelflow.params import section_or_defaults
    from reelflow.params.embed import EmbedParams
    from tasks.embed import embedding_spec

    spec = embedding_spec(section_or_defaults(PARAMS, EmbedParams))
    pretrained = networks_of(spec)
    pictures = np.zeros((spec.frames, spec.size, spec.size, 3), np.uint8)
    seen = Seen(dict.fromkeys(spec.views, pictures), None)
    runs = [spec.frames * len(look.views) for look in spec.looks]
    return _costs(zip(pretrained, runs, strict=True), partial(features_of, seen, pretrained, spec))


def _costs(
    networks: Iterable[tuple[keras.Model, int]], ask: Callable[[], object]
) -> dict[str, Any]:
    """Of networks, each with how often it runs for a clip, and what asks them about one."""
    from reelflow.networks.cost import multiply_adds, seconds

    networks = list(networks)
    return {
        "parameters": sum(network.count_params() for network, _ in networks),
        "multiply_adds": sum(multiply_adds(network) * runs for network, runs in networks),
        "seconds": seconds(ask),
    }


def _cells(row: dict[str, Any]) -> list[str]:
    if "seconds" not in row:
        return ["–"] * 3
    work, time = row["multiply_adds"] * 1e-6, row["seconds"] * 1e3
    return [f"{row['parameters']:,}", f"{work:,.0f}", f"{time:.0f}"]
