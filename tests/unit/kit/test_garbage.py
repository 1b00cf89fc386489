"""What is there when a process settles is no burden later; what comes after is still collected."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from cuemark.kit.garbage import MOST_NEW, settle


class Knot:
    """An object that only a collection can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_was_loaded_is_not_looked_at_again() -> None:
    loaded = [Knot() for _ in range(1000)]
    settle()
    looked_at = {id(each) for each in gc.get_objects()}
    assert gc.get_freeze_count() >= len(loaded)
    assert not any(id(each) in looked_at for each in loaded)


def test_garbage_of_before_is_freed_first() -> None:
    garbage = weakref.ref(Knot())
    settle()
    assert garbage() is None


def test_garbage_of_after_is_collected_by_itself() -> None:
    settle()
    garbage = weakref.ref(Knot())
    made = [Knot() for _ in range(2 * MOST_NEW)]
    assert garbage() is None
    assert len(made) == 2 * MOST_NEW
