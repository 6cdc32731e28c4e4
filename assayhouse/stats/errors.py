"""Errors of the statistical methods that are about the call, not about the data."""

from assayhouse.errors import AssayhouseError, ModelDataError


class InputError(AssayhouseError, ValueError):
    """An option of a statistical method is not one that the method knows."""


class NotEstimableError(ModelDataError):
    """The data are well formed and do not carry the model that was asked for."""
