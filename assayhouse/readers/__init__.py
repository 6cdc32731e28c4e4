"""One file format each, no vendor's name: delivered file to frames of text, nothing interpreted."""

from assayhouse.readers.ahead import read_ahead
from assayhouse.readers.door import open_delivery
from assayhouse.readers.reading import LineCount, ReadFinding, Reading, TextBatch

__all__ = ["LineCount", "ReadFinding", "Reading", "TextBatch", "open_delivery", "read_ahead"]
