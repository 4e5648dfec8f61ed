"""`--help` of each command: all that was written for it, in paragraphs that fill the lines."""

from __future__ import annotations

import itertools
import re

import click
import pytest
import typer
from typer.testing import CliRunner

from cli.main import app

GROUP = typer.main.get_command(app)
COMMANDS: dict[str, click.Command] = getattr(GROUP, "commands", {})


def shown(*arguments: str) -> str:
    # Where colours are forced, as some CI does, they are no part of the words.
    return click.unstyle(CliRunner().invoke(app, [*arguments, "--help"], terminal_width=80).output)


def words(text: str) -> list[str]:
    return text.replace("│", " ").replace("`", "").split()


def test_every_command_is_in_the_list() -> None:
    assert len(COMMANDS) > 10
    assert set(COMMANDS) <= set(words(shown()))


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_of_a_help_is_lost(name: str) -> None:
    command = COMMANDS[name]
    written = [command.help or "", *(getattr(each, "help", "") or "" for each in command.params)]
    assert all(text for text in written)
    assert set(words(" ".join(written))) <= set(words(shown(name)))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_ends_where_the_next_word_has_no_room(name: str) -> None:
    for paragraph in re.split(r"\n\s*\n", shown(name).split("╭")[0]):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        for line, after in itertools.pairwise(lines):
            assert len(line) + 1 + len(after.split()[0]) > 78, line
