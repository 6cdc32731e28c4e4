"""One batch is read while the one before is judged: both cores of a small machine have work."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from assayhouse.readers.reading import TextBatch


def read_ahead(batches: Iterator[TextBatch]) -> Iterator[TextBatch]:
    """Give the same batches in the same order, each read in a thread of its own meanwhile.

    Never more than one batch ahead, so that memory stays bounded. What reading raises is raised
    where its batch would have come.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch
