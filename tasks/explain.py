"""What a model looked at in videos: no stage, but called by `reelflow explain`.

Reads a model, registered or that of this checkout (`models/`), with today's code; the videos; and,
where they are there, `data/prepared/` with the frames or embeddings of the training videos, for
those that are similar. Writes, a folder a video, `explained.mp4`, `strip.png` and
`explanation.json`, and `index.html`; checked, also `metrics/explain.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from reelflow.base.errors import VideoError
from reelflow.base.files import digest_of, replacing, write_json, write_text
from reelflow.base.progress import track
from reelflow.explain import drawing, findings_in_words
from reelflow.explain.explain_video import Explanation, explain
from reelflow.explain.explainable_model import Subject
from reelflow.explain.load_model import load_subject
from reelflow.explain.sanity_checks import check
from reelflow.explain.true_boxes import true_boxes
from reelflow.params import section_or_defaults
from reelflow.params.extract import ExtractParams
from reelflow.registry.ask_model import Answer, ModelError, asking
from reelflow.reports import explanations
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.process_limits import Bounds
from tasks.common.nearest_training_clips import Known, known_videos
from tasks.common.paths import METRICS, MODEL, MODEL_CARD, PARAMS
from tasks.common.stage_inputs import read_json

# A difference of probabilities that is more than another order of sums.
_OTHER = 1e-3


@dataclass(frozen=True)
class Opened:
    """A model to be explained.

    Attributes:
        source: what it is called.
        file: the `.keras` file.
        card: what is known of it.
        asked: gives the answer of its own code; None if that is today's.
    """

    source: str
    file: Path
    card: dict[str, Any]
    asked: Callable[[str], Answer] | None = None


@dataclass
class Done:
    """What was explained: JSON a video, what cannot be used, and what the maps are worth."""

    videos: list[dict[str, Any]] = field(default_factory=list)
    unusable: list[VideoError] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


@contextmanager
def opened(model: str) -> Iterator[Opened]:
    """A registered model, or a folder: one of MLflow's, or `models/` of a checkout. Raises
    `ModelError` and what `asking` raises."""
    folder = Path(model)
    if (folder / MODEL.name).is_file():
        card = read_json(folder / MODEL_CARD.name)
        yield Opened(model, folder / MODEL.name, card)
        return
    with asking(model) as asked:
        told = yaml.safe_load((asked.folder / "MLmodel").read_text(encoding="utf-8"))
        try:
            artifacts = told["flavors"]["python_function"]["artifacts"]
            file, card_file = (asked.folder / artifacts[n]["path"] for n in ("model", "card"))
        except KeyError:
            raise ModelError(f"{asked.source} holds no Keras model to look into.") from None
        yield Opened(asked.source, file, read_json(card_file), asked.answer)


def explain_videos(
    files: Sequence[str], model: Opened, out: Path, *, label: str = "", checked: bool = False
) -> Done:
    """Explain each video, write its files, then the page.

    Args:
        files: the videos. One that cannot be used costs the others nothing.
        model: of `opened`.
        out: folder for what is made.
        label: the class to be explained; by default each answer.
        checked: also find out what the maps are worth.

    Raises:
        DataError: the model knows no such label, or cannot be read.
    """
    section = section_or_defaults(PARAMS, ExtractParams)
    bounds = Bounds(section.timeout_s, section.memory_mb)
    subject = load_subject(model.file, model.card, bounds)
    known = known_videos(subject.model, model.card)
    # A head on embeddings is shown whole pictures, scaled.
    on_frames = not model.card.get("blocks")
    clip = ClipSpec(**model.card["clip"]) if on_frames else None
    done, figures, names = Done(), [], set[str]()
    shown = track(files, len(files), "explaining videos") if len(files) > 1 else files
    for number, file in enumerate(shown):
        try:
            look = subject.look(Path(file))
        except VideoError as error:
            done.unusable.append(error)
            continue
        found = explain(subject, look, label)
        told = _told(file, found, subject, model, known)
        told["folder"] = _folder(file, names)
        if checked:
            boxes = true_boxes(Path(file), look, clip)
            told["checks"] = check(subject, found, boxes, number)
            figures.append(told["checks"])
        _write(out / told["folder"], found, told)
        done.videos.append(told)
    if figures:
        done.sentences = _conclude(figures, model)
    if done.videos:
        filters = subject.filters()
        page = explanations.render(done.videos, model.source, done.sentences, filters, on_frames)
        write_text(out / "index.html", page)
    return done


def _told(
    file: str, found: Explanation, subject: Subject, model: Opened, known: Known
) -> dict[str, Any]:
    """An explanation as JSON has it."""
    chances = {
        label: round(float(p), 6)
        for label, p in zip(subject.labels, found.probabilities, strict=True)
    }
    best = subject.labels[int(found.probabilities.argmax())]
    times = found.look.times
    video = found.look.info.hash
    return {
        "video": file,
        "hash": video,
        "model": model.source,
        "answer": {"label": best, "confidence": chances[best], "probabilities": chances},
        "explained": subject.labels[found.target],
        "known": known.of(video),
        "words": findings_in_words.moments_in_words(found, subject.labels[found.target]),
        "cautions": _cautions(file, chances, model),
        "times": [round(float(t), 4) for t in times],
        "moments": [
            {
                "from": round(float(times[run.start]), 4),
                "to": round(float(times[run.stop - 1]), 4),
                "log_odds": round(float(value), 5),
            }
            for run, value in zip(found.runs, found.moments, strict=True)
        ],
        "looked_at": found.look.parts,
        "occlusion": np.round(found.maps["occlusion"].astype(float), 5).tolist(),
        "neighbours": known.nearest(found.features, video),
    }


def _cautions(file: str, chances: dict[str, float], model: Opened) -> list[str]:
    if model.asked is None:
        return []
    own = model.asked(file)
    if own.error:
        return [f"The registered model's own code cannot use this video: {own.error}"]
    label, there = max(own.probabilities.items(), key=lambda pair: pair[1])
    if abs(there - chances.get(label, 0.0)) <= _OTHER:
        return []
    return [
        f"The registered model answers with its own code {label} {there:.3f}, today's code gives "
        f"{chances.get(label, 0.0):.3f}: what is explained is today's."
    ]


def _folder(file: str, taken: set[str]) -> str:
    """A folder's name for a video, which no other of this page has."""
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in Path(file).stem)[:60] or "video"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    return name


def _write(folder: Path, found: Explanation, told: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    times = found.look.times
    frames = drawing.outlined(found.look.frames, found.look.parts.values())
    drawn = {findings_in_words.NAMES[name]: found.pixels(name) for name in found.maps}
    with replacing(folder / "strip.png") as temporary:
        drawing.strip(frames, drawn, times.tolist()).save(temporary, "PNG")
    title = f"{told['explained']} {told['answer']['probabilities'][told['explained']]:.0%}"
    runs = list(zip(found.runs, found.moments.tolist(), strict=True))
    drawing.film(folder / "explained.mp4", frames, found.pixels("occlusion"), times, title, runs)
    write_json(folder / "explanation.json", told)


def _conclude(figures: list[Any], model: Opened) -> list[str]:
    """Write what the maps are worth; returns it in sentences."""
    found = findings_in_words.summary(figures)
    said = findings_in_words.sentences(found, len(figures))
    write_json(
        METRICS / "explain.json",
        {
            "model": model.source,
            "model_hash": digest_of(model.file),
            "videos": len(figures),
            "maps": found,
            "sentences": said,
        },
    )
    return said
