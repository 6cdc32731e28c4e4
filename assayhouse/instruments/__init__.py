"""Bytes of instruments and of clinical formats to records of arrays. No study in sight."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assayhouse.instruments.registry import Inspection, identify, inspect

__all__ = ["Inspection", "identify", "inspect"]


def __getattr__(name: str) -> object:
    """Import the registry, and with it polars, when it is first asked for."""
    if name in __all__:
        from assayhouse.instruments import registry  # noqa: PLC0415 - lazy on purpose

        return getattr(registry, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
