"""Three references whose standard errors differ from ours: which of the two is right, and why.

Curvature here comes from values of the objective alone, with modes found to 1e-14, and so owes
nothing to the gradient. It agrees with ours. The references come out to their last digit where the
curvature is taken from differences of the gradient whose modes start from the evaluation before
and stop as soon as the Newton decrement is below 1e-9, without a last step: what is left of the
error of the modes, divided by the step, is their deviation.
"""

import numpy as np
import pytest

from assayhouse.pk import FitOptions, fit, focei, modes
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import build_problem

from support.pk_cases import load_case

CASES = ("oral1cpt_odd_sd", "oral1cpt_odd_all")
STOP, STEP, WIDE = 1e-9, 1e-4, 1e-2


class Curvature:
    """Ways to the curvature at the end of a fit."""

    def __init__(self, name):
        self.case, self.spec, self.events = load_case(name)
        self.result = fit(self.spec, self.events, FitOptions(starts=1))
        self.problem, self.scale = build_problem(self.spec, self.events), Scale(self.spec)
        self.vector = self.scale.from_natural(self.result.params)
        self.end = focei.evaluate_objective(self.problem, self.scale, self.vector, tolerance=1e-14)
        self.free = np.flatnonzero(self.scale.free)

    def errors(self, r):
        """Standard errors by name, from the curvature R and from the sandwich."""
        inverse = np.linalg.inv((r + r.T) / 2)
        jacobian = self.scale.jacobian(self.vector)[np.ix_(self.free, self.free)]
        scores = self.end.gradient[self.free] / 2
        names = [self.scale.names[place] for place in self.free]
        kinds = (inverse, inverse @ scores @ scores.T @ inverse)
        return [
            dict(zip(names, np.sqrt(np.diag(jacobian @ kind @ jacobian.T)), strict=True))
            for kind in kinds
        ]

    def from_values(self):
        """R by second differences of the objective, five points along each entry."""
        steps = np.eye(len(self.vector))[self.free] * WIDE

        def half(move):
            vector = self.vector + move
            found = focei.evaluate_objective(
                self.problem, self.scale, vector, near=self.end, tolerance=1e-14
            )
            return found.total / 2

        middle, n = half(0 * steps[0]), len(steps)
        r = np.zeros((n, n))
        for i, one in enumerate(steps):
            near, far = half(one) + half(-one), half(2 * one) + half(-2 * one)
            r[i, i] = (16 * near - far - 30 * middle) / (12 * WIDE**2)
            for j, two in enumerate(steps[:i]):
                across = half(one + two) + half(-one - two) - half(one - two) - half(two - one)
                r[i, j] = r[j, i] = across / (4 * WIDE**2)
        return r

    def from_unfinished_modes(self):
        """R by differences of the gradient at modes that stop before their last step."""
        eta, rows = self.end.eta, []
        for place in self.free:
            sides = []
            for sign in (1, -1):
                vector = self.vector.copy()
                vector[place] += sign * STEP
                eta = self._stopped(vector, eta)
                point = self.scale.at(vector)
                found = focei._at_modes(self.problem, self.scale, vector, point, eta)
                sides.append(found.gradient.sum(axis=1)[self.free])
            rows.append((sides[0] - sides[1]) / (4 * STEP))
        return np.array(rows)

    def _stopped(self, vector, eta):
        point = self.scale.at(vector)
        phi = modes.population_phi(self.problem, point)
        for _ in range(50):
            state = modes._evaluate(self.problem, point, phi, eta)
            step, decrement = modes._direction(self.problem, point, state)
            if (decrement < STOP).all():
                break
            eta = eta + step
        return eta


@pytest.fixture(scope="module", params=CASES)
def curvature(request):
    return Curvature(request.param)


def test_the_objective_s_own_values_give_our_standard_errors(curvature):
    from_r, from_sandwich = curvature.errors(curvature.from_values())
    for name, error in from_r.items():
        assert curvature.result.se_hessian[name] == pytest.approx(error, rel=5e-4)
        assert curvature.result.se_sandwich[name] == pytest.approx(from_sandwich[name], rel=5e-4)


def test_modes_that_stop_before_their_last_step_give_the_reference(curvature):
    expected = curvature.case["expected"]
    from_r, from_sandwich = curvature.errors(curvature.from_unfinished_modes())
    for name, error in from_r.items():
        assert error == pytest.approx(expected["se_hessian"][name], rel=1e-3)
        assert from_sandwich[name] == pytest.approx(expected["se_sandwich"][name], rel=2e-3)
