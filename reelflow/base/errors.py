"""The errors that are meant for a person.

A `ReelflowError` has one complete text: what happened, to which file, what to do. The program
prints the text and stops; nobody needs a traceback to understand it.
"""

from __future__ import annotations

import signal

from reelflow.base.terminal import printable


def ended_with(status: int) -> str:
    """How a program ended, as the end of a sentence, by its exit status, negative for a signal."""
    return ended_by(-status) if status < 0 else f"ended by itself with status {status}"


def ended_by(number: int) -> str:
    """How a signal ended a process, as the end of a sentence: `was killed (…)`."""
    name = signal.Signals(number).name
    if number in (signal.SIGKILL, signal.SIGTERM):
        return f"was killed ({name}), perhaps because memory ran out"
    if number in (signal.SIGILL, signal.SIGABRT):
        return (
            f"crashed ({name}), perhaps because this processor has no AVX, which TensorFlow needs"
        )
    return f"crashed ({name})"


def quoted(value: object) -> str:
    """A value in quotes, as a person types it: `repr` would double backslashes."""
    plain = isinstance(value, str) and value.isprintable() and "'" not in value
    return f"'{value}'" if plain else repr(value)


class ReelflowError(Exception):
    """Something a person can act on. `str(error)` is the whole message, fit for a terminal."""

    def __str__(self) -> str:
        return printable(super().__str__(), lines=True)


class UnavailableError(ReelflowError):
    """A server or a lock is not available; the same command may work a moment later."""


class ParamsError(ReelflowError):
    """`params.yaml` holds a key, a type or a value that is not allowed."""


class DataError(ReelflowError):
    """The labelled videos, as a whole, cannot be used (an empty folder, one class only, ...)."""


class VideoError(ReelflowError):
    """One video cannot be used; the others still can.

    Attributes:
        path: the file, as the user named it.
        code: short reason for programs, e.g. `truncated`, `no_video`, `timeout`.
        reason: one sentence for people.
        remedy: what the user can do about it.
    """

    def __init__(self, path: str, code: str, reason: str, remedy: str) -> None:
        super().__init__(f"{path}: {reason} {remedy}".strip())
        self.path = path
        self.code = code
        self.reason = reason
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[VideoError], tuple[str, str, str, str]]:
        # Exceptions cross process borders by re-calling the class with `args`, which is one text.
        return (type(self), (self.path, self.code, self.reason, self.remedy))
