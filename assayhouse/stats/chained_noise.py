"""Random numbers of chained equations, dealt out in the order of the steps."""

from collections.abc import Sequence

import numpy as np

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.bayes_step import StepNoise
from assayhouse.stats.chained_plan import Step
from assayhouse.stats.streams import Purpose, open_stream


class Noise:
    """Random numbers of some imputations, dealt out in the order of the steps.

    Parameters
    ----------
    seed, key
        Of the streams.
    numbers : sequence of int
        Imputations.
    sweeps : sequence of sequence of Step
        All steps to come.
    start : int
        Uniform numbers needed before the first step.
    """

    def __init__(
        self,
        seed: int,
        key: str,
        numbers: Sequence[int],
        sweeps: Sequence[Sequence[Step]],
        *,
        start: int,
    ) -> None:
        steps = [step for sweep in sweeps for step in sweep]
        shapes = np.array([step.shape for step in steps])
        normals = sum(step.size + len(step.rows.free) for step in steps)
        uniforms = start + sum(len(step.rows.bound) for step in steps)
        m = len(numbers)
        self._normal = np.empty((m, normals))
        self._gamma = np.empty((m, len(steps)))
        self._uniform = np.empty((m, uniforms))
        for row, number in enumerate(numbers):
            stream = open_stream(seed, key, number, Purpose.NORMAL)
            self._normal[row] = stream.standard_normal(normals)
            stream = open_stream(seed, key, number, Purpose.GAMMA)
            self._gamma[row] = stream.standard_gamma(shapes)
            stream = open_stream(seed, key, number, Purpose.UNIFORM)
            self._uniform[row] = stream.random(uniforms)
        self._used = {"normal": 0, "gamma": 0, "uniform": 0}

    def take(self, name: str, count: int) -> FloatArray:
        """Return the next (m, count) numbers of one kind.

        Parameters
        ----------
        name : {"normal", "gamma", "uniform"}
            The kind.
        count : int
            How many per imputation.

        Returns
        -------
        (m, count) array
            Not to be returned again.
        """
        source = {"normal": self._normal, "gamma": self._gamma, "uniform": self._uniform}[name]
        first = self._used[name]
        self._used[name] = first + count
        return source[:, first : first + count]

    def of_step(self, step: Step) -> StepNoise:
        """Return what one step needs.

        Parameters
        ----------
        step : Step
            The next step.

        Returns
        -------
        StepNoise
            Its random numbers.
        """
        return StepNoise(
            parameters=self.take("normal", step.size),
            gamma=self.take("gamma", 1)[:, 0],
            free=self.take("normal", len(step.rows.free)),
            bound=self.take("uniform", len(step.rows.bound)),
        )
