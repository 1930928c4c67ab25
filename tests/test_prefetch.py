"""An iterator in a thread of its own."""

import gc
import threading
import weakref

import pytest

from mp3fix.prefetch import prefetch


@pytest.fixture(autouse=True)
def no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def counting(stop, log=None, error=None):
    log = [] if log is None else log
    try:
        for number in range(stop):
            log.append(number)
            yield number
        if error is not None:
            raise error
    finally:
        log.append("closed")


@pytest.mark.parametrize("ahead", [1, 2, 100])
def test_the_items_come_in_order(ahead):
    log = []
    assert list(prefetch(counting(50, log), ahead)) == list(range(50))
    assert log[-1] == "closed"
    assert list(prefetch([], ahead)) == []
    assert list(prefetch([None, False, 0], ahead)) == [None, False, 0]  # items that look like an end


def test_it_runs_ahead_so_far_and_no_further():
    log, reached = [], threading.Event()

    def source():
        for number in counting(100, log):
            if number == 3:  # 0 taken, 1 and 2 waiting
                reached.set()
            yield number

    items = prefetch(source(), 2)
    assert next(items) == 0
    assert reached.wait(10)
    assert max(log) == 3
    items.close()


def test_nothing_starts_before_it_is_wanted():
    log = []
    items = prefetch(counting(5, log))
    assert log == []
    items.close()


def test_an_error_comes_after_the_items_before_it():
    items = prefetch(counting(3, error=OSError("gone")))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(items)
    with pytest.raises(StopIteration):
        next(items)


def test_an_error_of_a_source_that_cannot_even_start():
    with pytest.raises(TypeError, match="not iterable"):
        list(prefetch(None))


def test_an_error_while_the_source_is_closed_is_not_swallowed():
    class Source:
        def __iter__(self):
            return self

        def __next__(self):
            raise StopIteration

        def close(self):
            raise OSError("cannot close")

    with pytest.raises(OSError, match="cannot close"):
        list(prefetch(Source()))


def test_an_error_is_freed_with_its_traceback():
    """No cycle keeps the frames, and the arrays in them, until the garbage collector comes."""

    class Error(Exception):
        pass

    def source():
        yield 1
        raise Error

    gc.disable()
    try:
        try:
            list(prefetch(source()))
        except Error as error:
            alive = weakref.ref(error)
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("taken", [1, 3])
def test_closing_stops_the_thread_and_closes_the_source(taken):
    log = []
    items = prefetch(counting(10**9, log), 2)
    for _ in range(taken):
        next(items)
    items.close()
    assert log[-1] == "closed"
    assert len(log) < taken + 6


def test_one_within_another_ends_with_it():
    log = []
    inner = prefetch(counting(10**9, log), 1)
    outer = prefetch((number * 2 for number in inner), 1)
    assert [next(outer) for _ in range(3)] == [0, 2, 4]
    outer.close()
    inner.close()
    assert log[-1] == "closed"
