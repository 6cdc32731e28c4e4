"""What is assumed of a subject after an event: mean and covariance of all its visits.

Arm A of the subject, reference arm R; t visits lie before the event.
"""

import numpy as np

from assayhouse.stats.arrays import FloatArray

STRATEGIES = ("MAR", "J2R", "CR", "CIR", "LMCF")


def assumed_mean(strategy: str, own: FloatArray, reference: FloatArray, before: int) -> FloatArray:
    """Mean of every visit under a strategy.

    Parameters
    ----------
    strategy : {"MAR", "J2R", "CR", "CIR", "LMCF"}
        Missing at random, jump to reference, copy reference, copy increments in reference, last
        mean carried forward.
    own, reference : (..., visits) arrays
        Means of the subject in its own and in the reference arm.
    before : int
        t; for LMCF above zero.

    Returns
    -------
    (..., visits) array
        Means to impute from.

    References
    ----------
    .. [1] Carpenter JR, Roger JH, Kenward MG (2013), J Biopharm Stat 23, 1352-1371, section 4.

    Examples
    --------
    >>> own, reference = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 40.0])
    >>> assumed_mean("CIR", own, reference, 2).tolist()
    [1.0, 2.0, 22.0]
    >>> assumed_mean("J2R", own, reference, 2).tolist()
    [1.0, 2.0, 40.0]
    """
    if strategy == "MAR":
        return own
    if strategy == "CR" or (before == 0 and strategy != "LMCF"):
        return reference
    mean = own.copy()
    if strategy == "J2R":
        mean[..., before:] = reference[..., before:]
    elif strategy == "CIR":
        step = reference[..., before:] - reference[..., before - 1 : before]
        mean[..., before:] = own[..., before - 1 : before] + step
    else:
        mean[..., before:] = own[..., before - 1 : before]
    return mean


def assumed_covariance(
    strategy: str, own: FloatArray, reference: FloatArray, before: int
) -> FloatArray:
    """Covariance of the visits under a strategy.

    Parameters
    ----------
    strategy : {"MAR", "J2R", "CR", "CIR", "LMCF"}
        As in `assumed_mean`.
    own, reference : (..., visits, visits) arrays
        Covariances of the subject's own and of the reference arm.
    before : int
        t.

    Returns
    -------
    (..., visits, visits) array
        For J2R and CIR the own arm before the event, joined with the reference regression of
        later visits on earlier ones.

    References
    ----------
    .. [1] Carpenter JR, Roger JH, Kenward MG (2013), J Biopharm Stat 23, 1352-1371, appendix.

    Examples
    --------
    >>> own, reference = np.diag([4.0, 9.0]), np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> assumed_covariance("J2R", own, reference, 1).tolist()
    [[4.0, 2.0], [2.0, 1.75]]
    """
    if strategy in {"MAR", "LMCF"}:
        return own
    if strategy == "CR" or before == 0:
        return reference
    early, late = slice(None, before), slice(before, None)
    a11, r11 = own[..., early, early], reference[..., early, early]
    r12, r22 = reference[..., early, late], reference[..., late, late]
    slope = np.linalg.solve(r11, r12)
    turned = np.swapaxes(slope, -1, -2)
    joined = np.empty_like(reference)
    joined[..., early, early] = a11
    joined[..., late, early] = turned @ a11
    joined[..., early, late] = a11 @ slope
    joined[..., late, late] = r22 - turned @ (r11 - a11) @ slope
    return joined
