"""Reading ahead changes no batch, no order and no error, and keeps one batch at most."""

import threading
import time

import pytest

from assayhouse.errors import DeliveryRejectedError
from assayhouse.readers import read_ahead


def counted(total, log, *, fails_at=None):
    for number in range(total):
        if number == fails_at:
            reason = "cut off"
            raise DeliveryRejectedError(reason, rule="F01", file="a.csv", line=9)
        log.append(number)
        yield number


def test_the_same_batches_come_in_the_same_order():
    assert list(read_ahead(counted(5, []))) == [0, 1, 2, 3, 4]
    assert list(read_ahead(counted(0, []))) == []


def test_never_more_than_one_batch_is_ahead():
    log = []
    waiting = read_ahead(counted(6, log))
    for number in waiting:
        time.sleep(0.01)
        assert max(log) <= number + 1


def test_what_reading_raises_comes_where_its_batch_would():
    waiting = read_ahead(counted(5, [], fails_at=3))
    assert [next(waiting) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DeliveryRejectedError, match="cut off") as caught:
        next(waiting)
    assert caught.value.line == 9


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    waiting = read_ahead(counted(100, log := []))
    next(waiting)
    waiting.close()
    assert threading.active_count() == before
    assert len(log) <= 2
