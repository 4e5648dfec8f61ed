from __future__ import annotations

from collections.abc import Iterator

import pytest

from reelflow.base.parallel import each


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    raise ValueError(f"no {number}")


def test_every_item_gets_its_answer() -> None:
    assert sorted(each(square, range(20), 2)) == [(n, n * n) for n in range(20)]


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
