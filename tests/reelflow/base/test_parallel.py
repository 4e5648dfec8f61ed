from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from reelflow.base.parallel import ProcessDiedError, each


def square(number: int) -> int:
    return number * number


def die_on_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def process_of(_: int) -> int:
    return os.getpid()


def refuse(number: int) -> int:
    raise ValueError(f"no {number}")


def test_every_item_gets_its_answer() -> None:
    assert sorted(each(square, range(20), 2)) == [(n, n * n) for n in range(20)]


def test_a_crash_costs_only_the_item_that_crashes() -> None:
    answers = dict(each(die_on_three, range(8), 2))
    assert isinstance(answers.pop(3), ProcessDiedError)
    assert answers == {n: n for n in range(8) if n != 3}


def test_an_item_alone_waits_for_no_other_process() -> None:
    assert list(each(process_of, [0], 2)) == [(0, os.getpid())]
    assert os.getpid() not in dict(each(process_of, range(2), 2)).values()


def test_an_error_of_the_function_is_raised() -> None:
    with pytest.raises(ValueError, match="no 0"):
        list(each(refuse, [0], 1))


def test_items_are_read_only_as_fast_as_they_are_worked_on() -> None:
    taken = 0

    def source() -> Iterator[int]:
        nonlocal taken
        for taken in range(1, 1001):  # noqa: UP028
            yield taken

    answers = each(square, source(), 2)
    next(answers)
    assert taken <= 8
    answers.close()  # type: ignore[attr-defined]
