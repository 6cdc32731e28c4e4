"""A fit result as strict JSON and back. Which field has which form is said here, once."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import polars as pl

from assayhouse.pk.errors import PKError
from assayhouse.pk.notes import Reason
from assayhouse.pk.options import FitOptions
from assayhouse.pk.spec import ModelSpec

_TYPES: dict[str, pl.DataType] = {
    "String": pl.String(),
    "Float64": pl.Float64(),
    "Int64": pl.Int64(),
    "Boolean": pl.Boolean(),
}


def encode_result(result: Any) -> str:  # noqa: ANN401 - FitResult is defined above this module
    """Write a fit result as JSON.

    Parameters
    ----------
    result : FitResult
    """
    payload = {field.name: _encode(getattr(result, field.name)) for field in fields(result)}
    return json.dumps(payload, allow_nan=False, ensure_ascii=False)


def decode_result(text: str) -> dict[str, Any]:
    """Read the fields of a fit result.

    Raises
    ------
    PKError
        The text is not JSON, or not of a fit result.
    """
    try:
        payload = json.loads(text)
        return {name: _DECODERS.get(name, _same)(value) for name, value in payload.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = "The text is not the JSON of a fit result."
        raise PKError(message) from error


def _encode(value: Any) -> Any:  # noqa: ANN401 - any field
    for kind, write in _ENCODERS.items():
        if isinstance(value, kind):
            return write(value)
    return value


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _frame(frame: pl.DataFrame) -> dict[str, Any]:
    return {
        "schema": {name: str(kind) for name, kind in frame.schema.items()},
        "columns": {name: _encode(frame[name].to_list()) for name in frame.columns},
    }


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _encode(part) for name, part in value.items()}


_ENCODERS: dict[type[Any], Callable[[Any], Any]] = {
    bool: bool,
    np.floating: _number,
    float: _number,
    ModelSpec: ModelSpec.to_dict,
    FitOptions: asdict,
    Reason: asdict,
    pl.DataFrame: _frame,
    np.ndarray: lambda value: _encode(value.tolist()),
    dict: _mapping,
    list: lambda value: [_encode(part) for part in value],
    tuple: lambda value: [_encode(part) for part in value],
}


def _same(value: Any) -> Any:  # noqa: ANN401 - any field
    return value


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _floats(value: dict[str, float | None]) -> dict[str, float]:
    return {name: _float(part) for name, part in value.items()}


def _maybe_floats(value: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if part is None else float(part) for name, part in value.items()}


def _intervals(
    value: dict[str, list[float] | None],
) -> dict[str, tuple[float, ...] | None]:
    return {name: None if part is None else tuple(part) for name, part in value.items()}


def _matrix(value: list[list[float]] | None) -> np.ndarray | None:
    if value is None:
        return None
    size = len(value)
    return np.array(value, dtype=np.float64).reshape(size, size)


def _read_frame(value: dict[str, Any] | None) -> pl.DataFrame | None:
    if value is None:
        return None
    schema = {name: _TYPES[kind] for name, kind in value["schema"].items()}
    return pl.DataFrame(value["columns"], schema=schema)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "reasons": lambda value: tuple(Reason(**part) for part in value),
    "ofv": _float,
    "minus2ll": _float,
    "excluded": _read_frame,
    "params": _floats,
    "se": _maybe_floats,
    "se_hessian": _maybe_floats,
    "se_sandwich": _maybe_floats,
    "rse_pct": _maybe_floats,
    "ci": _intervals,
    "covariance": _matrix,
    "covariance_names": tuple,
    "time_after_dose": tuple,
    "omega": _matrix,
    "gradient_max": _float,
    "shrinkage": _floats,
    "ofv_by_subject": _floats,
    "starts": _read_frame,
    "ebe": _read_frame,
    "predictions": _read_frame,
    "spec": ModelSpec.from_dict,
    "options": lambda value: FitOptions(**value),
    "scale": _float,
    "cpu_seconds": _float,
}
