"""Which dose records reach which sample, and the sums of exponentials over their doses.

Resets and steady state are settled once, when the schedule is made. No model is known here.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.pk.arrays import BoolArray, FloatArray, IntArray

_DUE = 1e-9
"""Share of an interval by which a dose may seem late and still count as given."""

_EXP_LIMIT = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Samples, and the pairs of a sample and a dose record that reaches it.

    Parameters
    ----------
    subject : (m,) array of int
        Subject of each sample, in the order of the subjects.
    starts : (n,) array of int
        First sample of each subject.
    sample : (p,) array of int
        Sample of each pair, in order.
    elapsed : (p,) array
        Time from the record to the sample.
    amount : (p,) array
        Amount of one dose.
    interval : (p,) array
        Time between the doses of the record; 1 where there is only one.
    count : (p,) array
        Doses the record stands for; infinite at steady state.
    last : (p,) array
        Number of the record's last dose, counted from 1 for the dose at its own time.
    """

    subject: IntArray
    starts: IntArray
    sample: IntArray
    elapsed: FloatArray
    amount: FloatArray
    interval: FloatArray
    steady: BoolArray
    last: FloatArray

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.subject)

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return len(self.starts)

    @property
    def pair_subject(self) -> IntArray:
        """Subject of each pair."""
        return self.subject[self.sample]


def build_schedule(frame: pl.DataFrame, subject: IntArray, is_used: BoolArray) -> Schedule:
    """Walk through the rows once and note the dose records that are live at each sample.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of an event table.
    subject : (r,) array of int
        Subject of each row, counted from 0.
    is_used : (r,) array of bool
        Which rows are samples of the model.

    Returns
    -------
    Schedule
        Samples in the order of the rows.
    """
    samples, live = np.flatnonzero(is_used), _live_records(frame, subject, is_used)
    sample = np.array([at for at, records in enumerate(live) for _ in records], dtype=np.int64)
    record = np.array([row for records in live for row in records], dtype=np.int64)
    time, every = frame["TIME"].to_numpy(), frame["II"].to_numpy()
    repeats = (frame["ADDL"].to_numpy() > 0) | (frame["SS"].to_numpy() > 0)
    of_sample = subject[samples].astype(np.int64)
    first = np.flatnonzero(np.diff(of_sample, prepend=-1))
    return Schedule(
        subject=of_sample,
        starts=first.astype(np.int64),
        sample=sample,
        elapsed=time[samples][sample] - time[record],
        amount=frame["AMT"].to_numpy()[record],
        interval=np.where(repeats, every, 1.0)[record],
        steady=(frame["SS"].to_numpy() > 0)[record],
        last=frame["ADDL"].to_numpy()[record] + 1.0,
    )


def _live_records(
    frame: pl.DataFrame, subject: IntArray, is_used: BoolArray
) -> list[tuple[int, ...]]:
    """Rows of the dose records that count at each sample; resets and SS = 1 end earlier ones."""
    event, steady = frame["EVID"].to_list(), frame["SS"].to_list()
    live: list[int] = []
    found: list[tuple[int, ...]] = []
    before = -1
    for row, (who, code) in enumerate(zip(subject.tolist(), event, strict=True)):
        if who != before or code in {3, 4} or (code == 1 and steady[row] == 1):
            live = []
        before = who
        if code in {1, 4}:
            live.append(row)
        if is_used[row]:
            found.append(tuple(live))
    return found


@dataclass(frozen=True, slots=True)
class Doses:
    """Doses of every pair that have been released: how many, and since when the latest.

    Parameters
    ----------
    since : (p,) array
        Time since the latest dose of the record that has been released.
    count : (p,) array
        How many of its doses have been; 0 for none, infinite at steady state.
    """

    since: FloatArray
    count: FloatArray


def released(schedule: Schedule, lag: FloatArray | None) -> Doses:
    """Count the doses released by each sample; a dose due at the sample's time has been.

    Parameters
    ----------
    schedule : Schedule
        Pairs of samples and records.
    lag : (n,) array or None
        TLAG of each subject.

    Returns
    -------
    Doses
        Of every pair.
    """
    elapsed = schedule.elapsed
    if lag is not None:
        elapsed = elapsed - lag[schedule.pair_subject]
    begun = np.floor(elapsed / schedule.interval + _DUE) + 1
    at_once = (schedule.last == 1) & ~schedule.steady
    begun = np.where(at_once, np.where(elapsed >= 0, 1.0, 0.0), begun)
    begun = np.minimum(begun, schedule.last)
    since = np.maximum(elapsed - (begun - 1) * schedule.interval, 0.0)
    count = np.where(schedule.steady, np.inf, np.maximum(begun, 0.0))
    return Doses(since, count)


def exponential_sums(
    schedule: Schedule, doses: Doses, rates: FloatArray, order: int
) -> list[FloatArray]:
    """Sum exponentials over doses, with derivatives in the rate.

    S(lam) = sum of AMT exp(-lam t) (1 - exp(-n lam tau)) / (1 - exp(-lam tau)).

    Parameters
    ----------
    schedule : Schedule
        Pairs of samples and records.
    doses : Doses
        What `released` gave.
    rates : (l, n) array
        Rates of every subject.
    order : int
        Highest derivative, up to 3.

    Returns
    -------
    list of (l, m) array
        S and its derivatives.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd edition, appendix C (multiple dosing).
    """
    rate = rates[:, schedule.pair_subject]
    weight = np.where(doses.count > 0, schedule.amount, 0.0) * np.exp(-rate * doses.since)
    many = np.flatnonzero(doses.count > 1)
    first = np.broadcast_to(-doses.since, rate.shape)
    second = third = np.zeros((1, 1))
    if len(many):
        first = first.copy()
        second, third = np.zeros_like(rate), np.zeros_like(rate)
        factor, derivatives = _repeats(
            rate[:, many], schedule.interval[many], doses.count[many], order
        )
        weight[:, many] *= factor
        first[:, many] += derivatives[0]
        for whole, part in zip((second, third), derivatives[1:], strict=False):
            whole[:, many] = part
    terms = [weight, weight * first]
    if order > 1:
        terms.append(weight * (first**2 + second))
    if order > 2:
        terms.append(weight * (first**3 + 3 * first * second + third))
    return [_per_sample(schedule, term) for term in terms]


def _repeats(
    rate: FloatArray, interval: FloatArray, count: FloatArray, order: int
) -> tuple[FloatArray, list[FloatArray]]:
    """Accumulation factor, and the derivatives of its logarithm in the rate up to an order."""
    infinite = np.isinf(count)
    span = np.where(infinite, 1.0, count) * interval
    once, one = _accumulated(interval, rate, order)
    all_doses, whole = _accumulated(span, rate, order)
    if infinite.any():
        all_doses = np.where(infinite, 1.0, all_doses)
        whole = [np.where(infinite, 0.0, part) for part in whole]
    return all_doses / once, [a - b for a, b in zip(whole, one, strict=True)]


def _accumulated(
    span: FloatArray, rate: FloatArray, order: int
) -> tuple[FloatArray, list[FloatArray]]:
    """1 - exp(-span rate), and the derivatives of its logarithm in the rate."""
    grown = np.expm1(np.minimum(span * rate, _EXP_LIMIT))
    q = span / grown
    found = [q]
    if order > 1:
        found.append(-q * (q + span))
    if order > 2:
        found.append(-found[1] * (2 * q + span))
    return grown / (1.0 + grown), found


def _per_sample(schedule: Schedule, of_pairs: FloatArray) -> FloatArray:
    size = schedule.n_samples
    if len(schedule.sample) == size and (np.diff(schedule.sample) == 1).all():
        return of_pairs
    return np.stack([np.bincount(schedule.sample, row, size) for row in of_pairs])
