from __future__ import annotations

from reelflow.base.words import nearest


def test_a_name_like_the_one_that_is_sought_is_offered() -> None:
    assert nearest("specis", ["station", "Species"]) == " Did you mean `Species`?"
    assert nearest("xyz", ["station", "Species"]) == ""
