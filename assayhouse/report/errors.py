"""What can be wrong with the frames handed to a figure or a page."""

from assayhouse.errors import AssayhouseError


class ReportInputError(AssayhouseError):
    """A frame given to the report cannot be drawn without guessing; nothing was drawn."""
