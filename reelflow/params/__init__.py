"""`params.yaml`, typed: one section a stage, and one for the search; one module a section.

Reads `params.yaml`; writes nothing. Every section is checked whenever one is loaded, so that a
wrong key stops the pipeline before its first stage and not an hour later. The sections are
imported by name, so that the code of a stage depends on its own section alone and a new knob of
`train` does not make `ingest` run again. What each setting means, its unit and its effect stand in
`params.yaml`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reelflow.base.errors import ParamsError, quoted
from reelflow.base.section import Section
from reelflow.base.words import nearest

STAGES = (
    "ingest", "extract", "embed", "validate", "preprocess", "train", "evaluate", "register",
)  # fmt: skip
SECTIONS = (*STAGES, "search")


S = TypeVar("S", bound=Section)


def load_section(path: Path, section: type[S]) -> S:
    """Return one section of the params file, after checking all of them.

    Raises:
        ParamsError: a missing file, broken YAML, an unknown key, a wrong type or a value out of
            range, in any section; the text names the key, the value and what is allowed.
    """
    return next(found for found in load_all(path).values() if isinstance(found, section))


def section_or_defaults(path: Path, section: type[S]) -> S:
    """A section as `load_section`, or its defaults where there is no params file."""
    return load_section(path, section) if path.exists() else section.model_validate({})


def load_all(path: Path) -> dict[str, Section]:
    """Return every section of the params file by name. Raises `ParamsError` as `load_section`."""
    values = _read(path)
    problems = [
        f"unknown section `{name}`.{nearest(str(name), SECTIONS)} "
        f"The sections are {', '.join(SECTIONS)}."
        for name in values
        if name not in SECTIONS
    ]
    sections: dict[str, Section] = {}
    for name in SECTIONS:
        model = _section_class(name)
        body = values.get(name)
        if body is not None and not isinstance(body, dict):
            problems.append(f"`{name}` must hold keys and values, not {body!r}.")
            continue
        try:
            sections[name] = model.model_validate(body or {})
        except ValidationError as error:
            problems += [_sentence(name, model, dict(detail)) for detail in error.errors()]
    if problems:
        raise ParamsError("\n".join(f"{path}: {problem}" for problem in problems))
    return sections


def _section_class(name: str) -> type[Section]:
    module = import_module(f"reelflow.params.{name}")
    return getattr(module, f"{name.capitalize()}Params")


def _read(path: Path) -> dict[str, Any]:
    try:
        values = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(
            f"{path} does not exist. Run this in the top folder of the project, or restore the "
            "file from git."
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        where = str(error).replace("\n", " ")
        raise ParamsError(f"{path} is not valid YAML: {where}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ParamsError(f"{path} must hold sections ({', '.join(SECTIONS)}), not {values!r}.")
    return values


@cache
def _parsed(text: str) -> Any:
    """What YAML makes of a text; nobody changes it. A stage asks several times, 0.1 s each."""
    # YAML 1.2, as DVC reads and writes it: there `1e-5` is a number.
    return YAML(typ="safe", pure=True).load(text)


def _sentence(section: str, model: type[Section], detail: dict[str, Any]) -> str:
    """One pydantic finding as a sentence: key, value, what is allowed."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join([section, *location])
    if detail["type"] == "extra_forbidden":
        for name in location[:-1]:
            section, model = f"{section}.{name}", _nested(model)[name]
        return (
            f"unknown key `{key}`.{_moved(location[-1], section, model)} "
            f"The keys of `{section}` are {', '.join(model.model_fields)}."
        )
    rule = detail["msg"].removeprefix("Value error, ")
    rule = rule.removeprefix("Input should be ").rstrip(".")
    if detail["type"] == "model_type":
        rule = "keys and values"
    return f"`{key}` is {quoted(detail['input'])}; allowed is {rule}."


def _nested(model: type[Section]) -> dict[str, type[Section]]:
    """The sections within a section, by name, those that may be absent among them."""
    types = {
        name: next(iter(get_args(field.annotation)), field.annotation)
        for name, field in model.model_fields.items()
    }
    return {
        name: kind
        for name, kind in types.items()
        if isinstance(kind, type) and issubclass(kind, Section)
    }


def _moved(name: str, above: str, model: type[Section]) -> str:
    """Where an unknown key stands: in a section within this one, or under a similar name."""
    places = [f"`{above}.{k}.{name}`" for k, s in _nested(model).items() if name in s.model_fields]
    if places:
        return f" Did you mean {' or '.join(places)}?"
    return nearest(name, model.model_fields, f"{above}.")
