"""Imputation under assumptions about what happens after an event, from a mixed model.

Two engines: draws from bootstrap fits, to be pooled by Rubin's rules; and conditional means,
whose standard errors come from the jackknife. Their standard errors differ by design.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, StrArray, require_word
from assayhouse.stats.conditional import JointModel, Subjects, complete_visits
from assayhouse.stats.errors import InputError, NotEstimableError
from assayhouse.stats.jackknife import Jackknife, jackknife
from assayhouse.stats.mmrm import MMRMFit, fit_mmrm
from assayhouse.stats.mmrm_data import MMRMData, prepare_mmrm
from assayhouse.stats.strategies import STRATEGIES
from assayhouse.stats.streams import Purpose, open_stream

__all__ = ["Jackknife", "impute_reference_based", "jackknife"]

_TRIES = 20
"""Bootstrap samples tried per imputation before the model counts as not to be fitted."""


def impute_reference_based(
    values: ArrayLike,
    arm: ArrayLike,
    base: ArrayLike,
    factors: Mapping[str, ArrayLike],
    event_visit: ArrayLike,
    *,
    strategy: str = "MAR",
    reference: str,
    engine: str = "draws",
    n_imputations: int = 100,
    seed: int | None = None,
    key: str | None = None,
    covariance: str = "shared",
    delta: ArrayLike | None = None,
    fit: MMRMFit | None = None,
) -> FloatArray:
    """Impute missing visits from a mixed model, with an assumption about visits after an event.

    Under J2R, CR and CIR the reference arm stays MAR; LMCF holds for every arm. A gap before
    the event stays MAR whatever the strategy. Observed values come back bit for bit.

    Parameters
    ----------
    values : (n, visits) array
        NaN = missing.
    arm, base, factors
        As in `assayhouse.stats.contrasts.contrast_matrix`.
    event_visit : (n,) array of int
        Visits before the event, 0 to the number of visits; that number is no event.
    strategy : {"MAR", "J2R", "CR", "CIR", "LMCF"}
        Assumption after the event.
    reference : str
        Reference arm.
    engine : {"draws", "conditional_mean"}
        Draws: per imputation a bootstrap of the subjects within arms, a REML fit and a draw.
        Conditional mean: one completed set, no randomness.
    n_imputations : int
        Draws, m.
    seed, key : int and str
        Of the draws; imputation i depends on them, i and the data alone.
    covariance : {"shared", "by_arm"}
        As in `fit_mmrm`.
    delta : float or (n, visits) array, optional
        Added to imputed values.
    fit : MMRMFit, optional
        A fit of the same rows, used instead of fitting again; for conditional means.

    Returns
    -------
    (m, n, visits) array
        m = 1 for conditional means.

    Raises
    ------
    ModelDataError
        Wrong shapes; a value at or after the event; LMCF for a subject with no visit before the
        event (``rows`` names them, nothing is imputed); data that do not carry the model.
    InputError
        An option that is unknown, out of range or does not go with the engine.

    References
    ----------
    .. [1] Carpenter JR, Roger JH, Kenward MG (2013), J Biopharm Stat 23, 1352-1371.
    .. [2] Wolbers M, Noci A, Delmar P, Gower-Page C, Yiu S, Bartlett JW (2022), Pharm Stat 21,
       1246-1257 (conditional means and the jackknife).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> base, arm = rng.normal(5, 1, 40), np.tile(["A", "B"], 20)
    >>> values = base[:, None] + rng.normal(0, 1, (40, 2)) + (arm == "B")[:, None]
    >>> values[1, 1] = np.nan
    >>> event = np.where(np.isnan(values[:, 1]), 1, 2)
    >>> options = {"reference": "A", "engine": "conditional_mean"}
    >>> mar = impute_reference_based(values, arm, base, {}, event, **options)
    >>> jump = impute_reference_based(values, arm, base, {}, event, strategy="J2R", **options)
    >>> mar.shape, bool(jump[0, 1, 1] < mar[0, 1, 1])
    ((1, 40, 2), True)
    """
    require_word(strategy, name="strategy", known=STRATEGIES)
    require_word(engine, name="engine", known=("draws", "conditional_mean"))
    data = prepare_mmrm(values, arm, base, factors, reference=reference, covariance=covariance)
    given = np.asarray(values, dtype=np.float64)
    subjects = _check_subjects(given, arm, event_visit, strategy, reference)
    shift = _check_delta(delta, given)
    if engine == "conditional_mean":
        chosen = fit or fit_mmrm(
            values, arm, base, factors, reference=reference, covariance=covariance
        )
        completed = complete_visits(subjects, _model_of(chosen, data, subjects), None)
    else:
        completed = _draw(subjects, data, n_imputations=n_imputations, seed=seed, key=key, fit=fit)
    return np.where(np.isnan(given), completed + shift, given)


def _draw(
    subjects: Subjects,
    data: MMRMData,
    *,
    n_imputations: int,
    seed: int | None,
    key: str | None,
    fit: MMRMFit | None,
) -> FloatArray:
    if seed is None or key is None:
        message = 'engine="draws" needs a seed and a key.'
        raise InputError(message)
    if fit is not None:
        message = 'A shared fit goes with engine="conditional_mean"; draws fit bootstrap samples.'
        raise InputError(message)
    if not isinstance(n_imputations, int | np.integer) or n_imputations < 1:
        message = f"n_imputations={n_imputations!r} must be a whole number from 1."
        raise InputError(message)
    missing = int(np.isnan(subjects.values).sum())
    noise = np.stack(
        [
            open_stream(seed, key, number, Purpose.NORMAL).standard_normal(missing)
            for number in range(n_imputations)
        ]
    )
    return complete_visits(subjects, _bootstrap(subjects, data, n_imputations, seed, key), noise)


def _bootstrap(subjects: Subjects, data: MMRMData, m: int, seed: int, key: str) -> JointModel:
    """Fits of bootstrap samples; a sample that does not carry the model is drawn again."""
    streams = [open_stream(seed, key, number, Purpose.RESAMPLE) for number in range(m)]
    visits = data.values.shape[1]
    size = len(data.columns)
    coefficients = np.full((m, size), np.nan)
    sigma = np.full((m, len(data.group_names), visits, visits), np.nan)
    left = np.arange(m)
    for _ in range(_TRIES):
        weights = np.stack([_resample(streams[number], subjects.arm) for number in left])
        raw = data.fit(weights)
        good = raw.converged & raw.estimable
        coefficients[left[good]] = raw.coefficients[good]
        sigma[left[good]] = raw.sigma[good]
        left = left[~good]
        if not len(left):
            return _standard_model(coefficients, sigma, data, subjects)
    message = (
        f"The mixed model could not be fitted to bootstrap samples of the data ({_TRIES} tries): "
        'too few values per visit. Use covariance="shared", or fewer visits or factors.'
    )
    raise NotEstimableError(message)


def _resample(stream: np.random.Generator, arm: StrArray) -> FloatArray:
    counts = np.zeros(len(arm))
    for name in sorted(set(arm.tolist())):
        members = np.flatnonzero(arm == name)
        drawn = stream.integers(0, len(members), len(members))
        counts[members] = np.bincount(drawn, minlength=len(members))
    return counts


def _standard_model(
    coefficients: FloatArray, sigma: FloatArray, data: MMRMData, subjects: Subjects
) -> JointModel:
    """Means and covariances in the units of the values, from coefficients visit by visit."""
    arms = sorted(set(subjects.arm.tolist()))
    others = [name for name in arms if name != subjects.reference]
    visits, width = data.values.shape[1], data.width
    own = coefficients[:, : visits * width].reshape(-1, visits, width)
    common = coefficients[:, visits * width :]
    means = {}
    for name in arms:
        u = data.covariates.copy()
        u[:, 1 : 1 + len(others)] = [float(name == other) for other in others]
        mean = np.einsum("bvx,nx->bnv", own, u[:, :width])
        mean += np.einsum("bx,nx->bn", common, u[:, width:])[:, :, None]
        means[name] = data.centre + data.unit * mean
    number = {
        name: 0 if len(data.group_names) == 1 else data.group_names.index(name) for name in arms
    }
    covariances = {name: data.unit**2 * sigma[:, number[name]] for name in arms}
    return JointModel(means=means, sigma=covariances)


def _model_of(fit: MMRMFit, data: MMRMData, subjects: Subjects) -> JointModel:
    if fit.status != "ok":
        message = f"The mixed model could not be fitted: {fit.status}. Nothing was imputed."
        raise NotEstimableError(message)
    if fit.columns != data.columns:
        message = "The fit given is not one of these data: it has other columns."
        raise ModelDataError(message)
    standard = np.asarray(
        np.linalg.solve(data.back, fit.coefficients - data.offset)[None] / data.unit
    )
    names = data.group_names
    if isinstance(fit.sigma, Mapping) != (names != ("",)):
        message = "The fit given has another form of covariance than was asked for."
        raise ModelDataError(message)
    parts = [fit.sigma[name] for name in names] if isinstance(fit.sigma, Mapping) else [fit.sigma]
    sigma = np.stack(parts)[None] / data.unit**2
    return _standard_model(standard, sigma, data, subjects)


def _check_subjects(
    values: FloatArray, arm: ArrayLike, event_visit: ArrayLike, strategy: str, reference: str
) -> Subjects:
    n, visits = values.shape
    event = np.asarray(event_visit)
    if event.shape != (n,) or event.dtype.kind not in "iu":
        message = f"event_visit must be {n} whole numbers, one per subject."
        raise ModelDataError(message)
    outside = np.flatnonzero((event < 0) | (event > visits))
    if len(outside):
        message = f"event_visit counts the visits before the event, 0 to {visits}."
        raise ModelDataError(message, rows=tuple(int(row) for row in outside))
    after = np.arange(visits) >= event[:, None]
    late = np.flatnonzero((after & ~np.isnan(values)).any(axis=1))
    if len(late):
        message = (
            f"{len(late)} subjects have a value at or after their event. Leave those values out, "
            "or say that the event was later."
        )
        raise ModelDataError(message, rows=tuple(int(row) for row in late))
    labels = np.asarray(arm).astype(np.str_)
    happened = event < visits
    if strategy != "LMCF":
        happened &= labels != reference
    early = np.flatnonzero(happened & (event == 0))
    if strategy == "LMCF" and len(early):
        message = (
            f"{len(early)} subjects have no visit before their event: there is no last mean to "
            "carry forward. Leave them out or choose another strategy. Nothing was imputed."
        )
        raise ModelDataError(message, rows=tuple(int(row) for row in early))
    return Subjects(
        values=values,
        arm=labels,
        event=event.astype(np.int64),
        strategy=np.where(happened, strategy, "MAR"),
        reference=reference,
    )


def _check_delta(delta: ArrayLike | None, values: FloatArray) -> FloatArray:
    shift = np.asarray(0.0 if delta is None else delta, dtype=np.float64)
    if shift.shape not in {(), values.shape} or not np.isfinite(shift).all():
        message = f"delta must be one finite number or an array of shape {values.shape}."
        raise ModelDataError(message)
    return shift
