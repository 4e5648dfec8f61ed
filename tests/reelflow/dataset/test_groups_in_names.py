from __future__ import annotations

import re

import pytest

from reelflow.dataset.groups_in_names import suggest_pattern


def names(form: str, classes: tuple[str, ...] = ("Bend", "Jump")) -> list[str]:
    return [form.format(c=c, g=g, i=i) for c in classes for g in range(1, 6) for i in range(1, 4)]


def labels(paths: list[str]) -> list[str]:
    return [path.split("/")[0] for path in paths]


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("{c}/v_{c}_g{g:02d}_c{i:02d}.avi", r"_(?P<group>g\d+)_"),
        ("{c}/person{g:02d}_{c}_d{i}.avi", r"/(?P<group>person\d+)_"),
        ("{c}/cam{g:02d}-{i:04d}.mp4", r"/(?P<group>cam\d+)-"),
        ("{c}/{i}_s{g:02d}.mp4", r"_(?P<group>s\d+)\."),
        ("{c}/subject{g}/{i}.mp4", r"/(?P<group>subject\d+)/"),
        ("{c}/Camera-{g} take {i}.mov", None),
    ],
)
def test_a_group_in_the_names_is_found_and_its_pattern_reads_it(
    form: str, pattern: str | None
) -> None:
    paths = names(form)
    found = suggest_pattern(paths, labels(paths))
    assert found is not None
    assert pattern is None or found[0] == pattern
    assert found[1] == 5
    read = {match["group"] for path in paths if (match := re.search(found[0], path))}
    assert len(read) == 5


@pytest.mark.parametrize(
    "form",
    [
        "{c}/{g}{i}.mp4",
        "{c}/v_{c}_c{g}{i}.avi",  # a number of the clip
        "{c}/s{g}{i}_x.mp4",  # each its own
        "s1{c}/boots{g}_{i}.mp4",  # the class, and a word that ends in s
    ],
)
def test_numbers_that_are_no_source_are_not_taken_for_one(form: str) -> None:
    classes = ("1", "2") if form.startswith("s1") else ("Bend",)
    paths = names(form, classes)
    assert suggest_pattern(paths, labels(paths)) is None


def test_a_group_that_would_leave_a_class_too_few_is_not_offered() -> None:
    paths = [f"{c}/g{g}_{i}.mp4" for c, n in (("a", 5), ("b", 2)) for g in range(n) for i in "12"]
    assert suggest_pattern(paths, labels(paths)) is None


def test_a_few_names_of_another_form_do_not_hide_the_group() -> None:
    paths = [*names("{c}/v_{c}_g{g:02d}_c{i:02d}.avi"), "Bend/odd.mp4"]
    found = suggest_pattern(paths, labels(paths))
    assert found is not None
    assert found[1] == 5
