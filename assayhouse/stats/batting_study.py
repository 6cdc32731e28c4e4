"""The data of a cut-point search: columns checked at the door, then sorted into records.

A record is a distinct combination of marker value, arm, response, event and covariates, in
ascending order. Replicates are weights on records, so the order of the input rows changes no
bit. It holds no statistic and draws nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, require_word
from assayhouse.stats.columns import as_binary, as_column, as_matrix, keep_complete
from assayhouse.stats.errors import InputError
from assayhouse.stats.factors import factorise

ENDPOINTS = ("binary", "continuous", "survival")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Everything but the marker, one entry per input row.

    Parameters
    ----------
    endpoint : str
        binary, continuous or survival.
    arm, response : (n,) arrays
        NaN where missing.
    event : (n,) array
        1 where the response is the time of an event; ones for other endpoints.
    stratum : (n,) array of int
        Codes; 0 where no strata are given, -1 where missing.
    adjust : (n, k) array
        Covariates; k is 0 where none are given.
    present : (n,) array of bool
        Rows with every value.
    missing : str
        drop or error.
    has_strata : bool
        Whether strata were given.
    """

    endpoint: str
    arm: FloatArray
    response: FloatArray
    event: FloatArray
    stratum: IntArray
    adjust: FloatArray
    present: BoolArray
    missing: str
    has_strata: bool

    def take(self, rows: IntArray) -> "Columns":
        """Return the columns of the given rows, repeated as given."""
        return replace(
            self,
            arm=self.arm[rows],
            response=self.response[rows],
            event=self.event[rows],
            stratum=self.stratum[rows],
            adjust=self.adjust[rows],
            present=self.present[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One marker's complete rows as sorted records.

    Parameters
    ----------
    columns : Columns
        The rows as given.
    marker : (n,) array
        Marker as given; NaN where missing.
    kept : (n,) array of bool
        Rows that are used.
    values : (U,) array
        Distinct marker values, ascending.
    row_record : (n,) array of int
        Record of every input row; removed rows have the number R, one past the last.
    n_records : int
        R. For binary responses without covariates records are dense: 4 tie + 2 arm + response.
    tie, arm, response, event, pattern : (R,) arrays
        Of the records; ``response`` of a continuous endpoint is centred.
    covariates : (P, k) array
        Distinct covariate patterns.
    """

    columns: Columns
    marker: FloatArray
    kept: BoolArray
    values: FloatArray
    row_record: IntArray
    n_records: int
    tie: IntArray
    arm: IntArray
    response: FloatArray
    event: IntArray
    pattern: IntArray
    covariates: FloatArray

    @property
    def dense(self) -> bool:
        """Whether records are numbered 4 tie + 2 arm + response."""
        return self.columns.endpoint == "binary" and not self.columns.adjust.shape[1]

    def weigh(self, rows: IntArray) -> IntArray:
        """Return how often each record occurs among given rows.

        Parameters
        ----------
        rows : (b, m) array of int
            Input rows of b replicates.

        Returns
        -------
        (b, R) array of int
            Multiplicities; draws of removed rows count nowhere.
        """
        size = self.n_records + 1
        cells = self.row_record[rows]
        cells += (np.arange(len(rows)) * size)[:, None]
        counts = np.bincount(cells.ravel(), minlength=len(rows) * size)
        return counts.reshape(len(rows), size)[:, :-1]

    def original(self, weights: IntArray | None = None) -> IntArray:
        """Return the multiplicities of the data as they are, (1, R)."""
        counts = np.bincount(self.row_record, weights=weights, minlength=self.n_records + 1)
        return np.asarray(counts[None, : self.n_records], dtype=np.int64)


def read_columns(
    arm: object,
    response: object,
    *,
    endpoint: str = "binary",
    event: object = None,
    strata: object = None,
    adjust: object = None,
    missing: str = "drop",
) -> Columns:
    """Return the checked columns beside the marker.

    Parameters
    ----------
    arm, response, endpoint, event, strata, adjust, missing
        As the public functions take them.

    Returns
    -------
    Columns
        One entry per input row.

    Raises
    ------
    InputError
        Any rule of the door is broken; the message never holds a value.
    """
    require_word(endpoint, name="endpoint", known=ENDPOINTS)
    treated = as_binary(arm, name="arm")
    n = len(treated)
    read = as_binary if endpoint == "binary" else as_column
    measured = read(response, name="response", n=n)
    happened = _read_event(event, endpoint=endpoint, n=n)
    stratum = np.zeros(n, dtype=np.int64)
    if strata is not None:
        stratum = factorise(strata, n=n, name="strata").codes  # type: ignore[arg-type]
    covariates = np.zeros((n, 0))
    if adjust is not None:
        covariates = as_matrix(adjust, name="adjust", n=n)
    present = ~(np.isnan(treated) | np.isnan(measured) | np.isnan(happened) | (stratum < 0))
    present &= ~np.isnan(covariates).any(axis=1)
    keep_complete(present, missing=missing)
    if len(np.unique(treated[present])) < 2:
        message = "Both arms, 0 and 1, need subjects with complete data."
        raise InputError(message)
    return Columns(
        endpoint=endpoint,
        arm=treated,
        response=measured,
        event=happened,
        stratum=stratum,
        adjust=covariates,
        present=present,
        missing=missing,
        has_strata=strata is not None,
    )


def _read_event(event: object, *, endpoint: str, n: int) -> FloatArray:
    """Return the event column, which survival needs and nothing else has."""
    if (event is not None) != (endpoint == "survival"):
        message = 'event belongs to endpoint="survival", and that endpoint needs it.'
        raise InputError(message)
    return np.ones(n) if event is None else as_binary(event, name="event", n=n)


def read_study(x: object, columns: Columns) -> Study:
    """Return the records of one marker.

    Parameters
    ----------
    x : (n,) array_like
        Marker.
    columns : Columns
        The other columns.

    Returns
    -------
    Study
        Complete rows only.

    Raises
    ------
    InputError
        Another length, not numeric, infinite, or missing where that is refused.
    """
    marker = as_column(x, name="x", n=len(columns.arm))
    keep_complete(~np.isnan(marker), missing=columns.missing)
    return build_study(marker, columns)


def build_study(marker: FloatArray, columns: Columns) -> Study:
    """Return the records of a marker that has passed the door.

    Parameters
    ----------
    marker : (n,) array
        NaN where missing.
    columns : Columns
        The other columns.

    Returns
    -------
    Study
        Complete rows only.
    """
    kept = columns.present & ~np.isnan(marker)
    values, tie = np.unique(marker[kept], return_inverse=True)
    arm = columns.arm[kept].astype(np.int64)
    covariates, pattern = _read_patterns(columns.adjust[kept])
    if columns.endpoint == "binary" and not columns.adjust.shape[1]:
        record, key = _dense_records(tie, arm, columns.response[kept], len(values))
    else:
        record, key = _sorted_records(
            tie, arm, columns.response[kept], columns.event[kept], pattern
        )
    row_record = np.full(len(marker), key.shape[1], dtype=np.int64)
    row_record[kept] = record
    response = key[2]
    if columns.endpoint == "continuous" and len(record):
        response = response - np.mean(np.sort(columns.response[kept]))
    return Study(
        columns=columns,
        marker=marker,
        kept=kept,
        values=values,
        row_record=row_record,
        n_records=key.shape[1],
        tie=key[0].astype(np.int64),
        arm=key[1].astype(np.int64),
        response=response,
        event=key[3].astype(np.int64),
        pattern=key[4].astype(np.int64),
        covariates=covariates,
    )


def _read_patterns(adjust: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return distinct covariate rows and the pattern of each subject."""
    if not adjust.shape[1] or not len(adjust):
        return np.zeros((1, adjust.shape[1])), np.zeros(len(adjust), dtype=np.int64)
    covariates, pattern = np.unique(adjust, axis=0, return_inverse=True)
    return covariates, pattern.astype(np.int64)


def _dense_records(
    tie: IntArray, arm: IntArray, response: FloatArray, n_ties: int
) -> tuple[IntArray, FloatArray]:
    """Return records 4 tie + 2 arm + response, whether they occur or not."""
    record = 4 * tie + 2 * arm + response.astype(np.int64)
    every = np.arange(4 * n_ties)
    key = np.zeros((5, 4 * n_ties))
    key[0], key[1], key[2], key[3] = every // 4, every // 2 % 2, every % 2, 1
    return record, key


def _sorted_records(*parts: IntArray | FloatArray) -> tuple[IntArray, FloatArray]:
    """Return records that occur, in ascending order of their parts."""
    rows = np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])
    if not len(rows):
        return np.zeros(0, dtype=np.int64), np.zeros((len(parts), 0))
    key, record = np.unique(rows, axis=0, return_inverse=True)
    return record.astype(np.int64), np.ascontiguousarray(key.T)
