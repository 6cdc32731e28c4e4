"""The FOCE-I objective of every subject with its exact gradient on the estimation scale.

The gradient follows the modes: it holds what d eta*/d parameter adds. Modes are found in `modes`,
the minimum over the parameters in `optimise`.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.pk import small
from assayhouse.pk.arrays import BoolArray, FloatArray
from assayhouse.pk.curves import Curves, compute_curves
from assayhouse.pk.errors import PKError
from assayhouse.pk.jets import square, unpack
from assayhouse.pk.modes import find_modes, population_phi
from assayhouse.pk.parameters import Point, Scale
from assayhouse.pk.problem import Problem
from assayhouse.pk.residual import Contributions, compute_contributions


class ObjectiveError(PKError):
    """The objective cannot be evaluated at these parameters.

    Parameters
    ----------
    message : str
        Why, as a sentence.
    code : {"inner_not_converged", "nonfinite_ofv"}
        The same as a code.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The objective at one place of the estimation scale.

    Parameters
    ----------
    vector : (p,) array
        The place.
    ofv : (n,) array
        OFV of each subject.
    gradient : (p, n) array
        Derivatives of each subject's OFV in every entry of ``vector``, fixed ones too.
    eta : (q, n) array
        Modes.
    eta_by_vector : (q, p, n) array
        How the modes move with the parameters.
    inverse : (q, q, n) array
        Inverse of the Hessian approximation H.
    f : (m,) array
        Individual predictions at the modes.
    a : (q, m) array
        df/deta there.
    """

    vector: FloatArray
    ofv: FloatArray
    gradient: FloatArray
    eta: FloatArray
    eta_by_vector: FloatArray
    inverse: FloatArray
    f: FloatArray
    a: FloatArray

    @property
    def total(self) -> float:
        """OFV of all subjects."""
        return float(self.ofv.sum())


def evaluate_objective(
    problem: Problem,
    scale: Scale,
    vector: FloatArray,
    *,
    near: Objective | None = None,
    tolerance: float = 1e-9,
) -> Objective:
    """Evaluate objective and gradient.

    Parameters
    ----------
    problem : Problem
        Data and model.
    scale : Scale
        What the vector's entries are.
    vector : (p,) array
        All parameters on the estimation scale.
    near : Objective, optional
        An evaluation nearby, whose modes are carried along.
    tolerance : float
        Newton decrement of the modes.

    Returns
    -------
    Objective
        On the scale that leaves out n log(2 pi).

    Raises
    ------
    ObjectiveError
        A mode was not found, or is not a minimum, or the objective is not finite.

    References
    ----------
    .. [1] Wang Y (2007), J Pharmacokinet Pharmacodyn 34, 575-593, equations 24 to 27.
    .. [2] Almquist J, Leander J, Jirstrand M (2015), J Pharmacokinet Pharmacodyn 42, 191-209.
    """
    point = scale.at(vector)
    start = _start(problem, near, vector)
    modes = find_modes(problem, point, start, tolerance)
    if not modes.converged.all():
        lost = int((~modes.converged).sum())
        message = f"The random effects of {lost} subjects have no mode that was found."
        raise ObjectiveError(message, code="inner_not_converged")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _at_modes(problem, scale, vector, point, modes.eta)


def _start(problem: Problem, near: Objective | None, vector: FloatArray) -> FloatArray:
    """Modes of an evaluation nearby, moved along their derivatives."""
    if near is None:
        return np.zeros((len(problem.iiv), problem.n_subjects))
    move = np.einsum("qpn,p->qn", near.eta_by_vector, vector - near.vector)
    return np.asarray(near.eta + np.clip(move, -0.5, 0.5))


def _at_modes(
    problem: Problem, scale: Scale, vector: FloatArray, point: Point, eta: FloatArray
) -> Objective:
    starts, iiv = problem.schedule.starts, problem.iiv
    curves, parts = _curves_at(problem, point, eta)
    k, q = len(problem.spec.structural), len(iiv)
    prior = point.omega_inverse[:, :, None]
    a = curves.g[iiv]
    packed = np.add.reduceat(parts.w * square(a), starts, axis=1)
    lower_h, good_h = small.factor(unpack(packed, q) + prior)
    packed = np.add.reduceat(parts.u2 * square(curves.g), starts, axis=1)
    second = unpack(packed + curves.weighted_hessian(parts.u1, starts), k)
    lower_l, good_l = small.factor(second[np.ix_(iiv, iiv)] + prior)
    pull = point.omega_inverse @ eta
    fit = np.add.reduceat(parts.u, starts) + 0.5 * (eta * pull).sum(axis=0)
    ofv = 2 * fit + point.log_determinant + small.log_determinant(lower_h)
    _require_minimum(ofv, good_h & good_l)
    inverse = small.invert(lower_h)
    total, pulled, leverage = _by_phi(
        problem, curves, parts, inverse=inverse, second=second, lower_l=lower_l
    )
    mixed = _mixed_derivatives(problem, scale, point, second=second, parts=parts, a=a, pull=pull)
    gradient = np.concatenate(
        [
            total,
            *(total[at][None] * x for at, x in problem.effects),
            _by_omega(scale, point, eta, inverse, pulled),
            _by_sigma(problem, parts, a, leverage, pulled),
        ]
    )
    return Objective(
        vector=vector.copy(),
        ofv=ofv,
        gradient=gradient,
        eta=eta,
        eta_by_vector=-small.solve(lower_l, mixed),
        inverse=inverse,
        f=curves.f,
        a=a,
    )


def _require_minimum(ofv: FloatArray, good: BoolArray) -> None:
    if not np.isfinite(ofv).all():
        message = "The objective of some subject is not finite."
        raise ObjectiveError(message, code="nonfinite_ofv")
    if not good.all():
        message = f"The random effects of {int((~good).sum())} subjects are not at a minimum."
        raise ObjectiveError(message, code="inner_not_converged")


def _curves_at(problem: Problem, point: Point, eta: FloatArray) -> tuple[Curves, Contributions]:
    phi = population_phi(problem, point)
    phi[problem.iiv] += eta
    curves = compute_curves(
        problem.spec.structure,
        problem.schedule,
        phi,
        active=np.arange(len(phi)),
        scale=problem.scale,
        doses=problem.doses,
    )
    return curves, compute_contributions(problem, curves.f, point.sigma)


def _by_phi(
    problem: Problem,
    curves: Curves,
    parts: Contributions,
    *,
    inverse: FloatArray,
    second: FloatArray,
    lower_l: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gradient in the log parameters, the adjoint s = -L_ee^-1 dlog|H|/deta, and a'H^-1 a [2]_."""
    starts, iiv = problem.schedule.starts, problem.iiv
    a = curves.g[iiv]
    b = np.einsum("ijm,jm->im", inverse[:, :, problem.schedule.subject], a)
    leverage = (a * b).sum(axis=0)
    by_phi = np.add.reduceat(parts.w1 * leverage * curves.g, starts, axis=1)
    bends = curves.weighted_hessians(2 * parts.w * b, starts)
    for at, place in enumerate(iiv):
        by_phi += unpack(bends[at], len(curves.g))[place]
    pulled = -small.solve(lower_l, by_phi[iiv])
    direct = 2 * np.add.reduceat(parts.u1 * curves.g, starts, axis=1)
    total = direct + by_phi + np.einsum("kqn,qn->kn", second[:, iiv], pulled)
    return total, pulled, leverage


def _by_omega(
    scale: Scale, point: Point, eta: FloatArray, inverse: FloatArray, pulled: FloatArray
) -> FloatArray:
    """Gradient in the entries of the Cholesky factor: (o, n)."""
    across = eta[:, None] * (eta + pulled)[None]
    inner = point.omega[:, :, None] - inverse - 0.5 * (across + across.transpose(1, 0, 2))
    weights = np.einsum("ij,jkn,kl->iln", point.omega_inverse, inner, point.omega_inverse)
    found = np.einsum("oij,ijn->on", scale.omega_steps(point), weights)
    return np.asarray(found)


def _by_sigma(
    problem: Problem,
    parts: Contributions,
    a: FloatArray,
    leverage: FloatArray,
    pulled: FloatArray,
) -> FloatArray:
    """Gradient in the logarithms of the residual standard deviations: (s, n)."""
    along = (pulled[:, problem.schedule.subject] * a).sum(axis=0)
    per_sample = 2 * parts.u_s + parts.w_s * leverage + parts.u1_s * along
    return np.add.reduceat(per_sample, problem.schedule.starts, axis=1)


def _mixed_derivatives(
    problem: Problem,
    scale: Scale,
    point: Point,
    *,
    second: FloatArray,
    parts: Contributions,
    a: FloatArray,
    pull: FloatArray,
) -> FloatArray:
    """Second derivatives of the inner objective in eta and in every entry of the vector."""
    of_phi = second[problem.iiv]
    by_beta = [of_phi[:, at][:, None] * x for at, x in problem.effects]
    steps = scale.omega_steps(point)
    by_omega = -np.einsum("ij,ojk,kn->ion", point.omega_inverse, steps, pull)
    by_sigma = np.add.reduceat(a[:, None] * parts.u1_s[None], problem.schedule.starts, axis=2)
    return np.concatenate([of_phi, *by_beta, by_omega, by_sigma], axis=1)
