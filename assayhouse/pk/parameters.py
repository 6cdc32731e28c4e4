"""The estimation scale: log theta, coefficients, Cholesky of Omega with log diagonal, log SDs.

Every parameter name has one entry of the vector, in the order of the names. `omega2(P)` stands for
the logarithm of P's diagonal entry of the Cholesky factor, `omega(P,Q)` for the entry below it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assayhouse.pk.arrays import BoolArray, FloatArray
from assayhouse.pk.errors import SpecError
from assayhouse.pk.spec import ModelSpec


@dataclass(frozen=True)
class Point:
    """Parameters at one place of the estimation scale.

    Parameters
    ----------
    log_theta : (k,) array
        Logarithms of the structural parameters.
    beta : (c,) array
        Covariate coefficients.
    cholesky : (q, q) array
        Lower triangle C with Omega = C C'.
    sigma : (s,) array
        Residual standard deviations.
    """

    log_theta: FloatArray
    beta: FloatArray
    cholesky: FloatArray
    sigma: FloatArray

    @cached_property
    def omega(self) -> FloatArray:
        """Covariance of the random effects."""
        return self.cholesky @ self.cholesky.T

    @cached_property
    def omega_inverse(self) -> FloatArray:
        """Inverse of `omega`."""
        inverse = np.linalg.inv(self.cholesky)
        return np.asarray(inverse.T @ inverse)

    @property
    def log_determinant(self) -> float:
        """Logarithm of the determinant of `omega`."""
        return float(2 * np.log(np.diag(self.cholesky)).sum())


@dataclass(frozen=True)
class Scale:
    """Which entry of the vector is which parameter.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    """

    spec: ModelSpec

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the entries."""
        return self.spec.parameter_names

    @property
    def n_theta(self) -> int:
        """Number of structural parameters."""
        return len(self.spec.structural)

    @property
    def n_beta(self) -> int:
        """Number of covariate coefficients."""
        return len(self.spec.covariates)

    @property
    def first_omega(self) -> int:
        """Place of the first entry of Omega."""
        return self.n_theta + self.n_beta

    @property
    def first_sigma(self) -> int:
        """Place of the first residual standard deviation."""
        return len(self.names) - len(self.spec.sigmas)

    @cached_property
    def free(self) -> BoolArray:
        """Which entries are estimated."""
        held = self.spec.fixed_names
        return np.array([name not in held for name in self.names])

    @cached_property
    def entries(self) -> tuple[tuple[int, int], ...]:
        """Row and column in Omega of each of its entries."""
        found = []
        for name in self.names[self.first_omega : self.first_sigma]:
            inside = name[name.index("(") + 1 : -1].split(",")
            places = [self.spec.iiv.index(part) for part in inside]
            found.append((places[-1], places[0]))
        return tuple(found)

    def from_natural(self, params: Mapping[str, float]) -> FloatArray:
        """Vector of parameters on their natural scale.

        Raises
        ------
        SpecError
            Omega is not positive definite, or a value that must be above 0 is not.
        """
        values = np.array([float(params[name]) for name in self.names])
        positive = np.ones(len(values), dtype=np.bool_)
        positive[self.n_theta : self.first_omega] = False
        for at, (i, j) in enumerate(self.entries):
            positive[self.first_omega + at] = i == j
        if not (np.isfinite(values).all() and (values[positive] > 0).all()):
            message = "Parameters must be finite, and all but coefficients and covariances above 0."
            raise SpecError(message)
        vector = np.where(positive, np.log(np.where(positive, values, 1.0)), values)
        try:
            lower = np.linalg.cholesky(self._omega_of(values))
        except np.linalg.LinAlgError as error:
            message = "omega is not positive definite; make its covariances smaller."
            raise SpecError(message) from error
        for at, (i, j) in enumerate(self.entries):
            vector[self.first_omega + at] = np.log(lower[i, i]) if i == j else lower[i, j]
        return vector

    def _omega_of(self, values: FloatArray) -> FloatArray:
        omega = np.zeros((len(self.spec.iiv), len(self.spec.iiv)))
        for at, (i, j) in enumerate(self.entries):
            omega[i, j] = omega[j, i] = values[self.first_omega + at]
        return omega

    def at(self, vector: FloatArray) -> Point:
        """Parameters at a place of the estimation scale."""
        lower = np.zeros((len(self.spec.iiv), len(self.spec.iiv)))
        for at, (i, j) in enumerate(self.entries):
            value = vector[self.first_omega + at]
            lower[i, j] = np.exp(value) if i == j else value
        return Point(
            log_theta=vector[: self.n_theta],
            beta=vector[self.n_theta : self.first_omega],
            cholesky=lower,
            sigma=np.exp(vector[self.first_sigma :]),
        )

    def to_natural(self, vector: FloatArray) -> dict[str, float]:
        """Parameters by name, on their natural scale."""
        point = self.at(vector)
        values = vector.copy()
        values[: self.n_theta] = np.exp(point.log_theta)
        values[self.first_sigma :] = point.sigma
        for at, (i, j) in enumerate(self.entries):
            values[self.first_omega + at] = point.omega[i, j]
        return dict(zip(self.names, values.tolist(), strict=True))

    def jacobian(self, vector: FloatArray) -> FloatArray:
        """Differentiate the natural parameters in the vector: (n, n)."""
        point = self.at(vector)
        matrix = np.eye(len(vector))
        theta = np.arange(self.n_theta)
        sigma = np.arange(self.first_sigma, len(vector))
        matrix[theta, theta] = np.exp(point.log_theta)
        matrix[sigma, sigma] = point.sigma
        rows = slice(self.first_omega, self.first_sigma)
        steps = self.omega_steps(point)
        matrix[rows, rows] = [[step[i, j] for step in steps] for i, j in self.entries]
        return matrix

    def omega_steps(self, point: Point) -> FloatArray:
        """Differentiate Omega in each of its entries of the vector: (o, q, q)."""
        lower = point.cholesky
        steps = np.zeros((len(self.entries), *lower.shape))
        for at, (i, j) in enumerate(self.entries):
            change = np.zeros_like(lower)
            change[i, j] = lower[i, i] if i == j else 1.0
            steps[at] = change @ lower.T + lower @ change.T
        return steps
