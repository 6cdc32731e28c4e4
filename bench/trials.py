"""Simulated trials for the measurements of effects: what is planted, and what goes missing.

Values are log-normal about a line in the log base; visits of a subject hang together; dropout
depends on the last value seen. Nothing here is fitted.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

ARMS = ("0", "1", "2", "3")
SIZES = (84, 42, 81, 81)
VISITS = (4, 12, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyte:
    """How one parameter's logs are made.

    Parameters
    ----------
    name : str
        PARAMCD.
    mean, spread : float
        Of the log base.
    slope : float
        Of the log value on the log base.
    residual : float
        Standard deviation about the line, half of its variance shared by the visits.
    effect : float
        Log difference of the highest arm at the last visit; other arms and visits have a part.
    outliers : float
        Share of values with five times the residual.
    below : float
        Share of values below the limit of quantification, about.
    """

    name: str
    mean: float = 5.0
    spread: float = 0.7
    slope: float = 0.6
    residual: float = 0.5
    effect: float = -0.3
    outliers: float = 0.0
    below: float = 0.0


FIVE = (
    Analyte(name="PLAIN"),
    Analyte(name="NARROW", spread=0.3, residual=0.2, effect=0.0),
    Analyte(name="SKEWED", spread=1.0, residual=0.9, effect=-0.6),
    Analyte(name="OUTLIERS", outliers=0.03),
    Analyte(name="LOW", mean=1.0, residual=0.6, below=0.2),
)
"""What the study of coverage is made of."""


def log_effect(analyte: Analyte, arm: str, visit: int) -> float:
    """Planted difference of logs from the first arm."""
    return analyte.effect * ARMS.index(arm) / 3 * (VISITS.index(visit) + 1) / 3


def limit_of(analyte: Analyte) -> float:
    """Limit of quantification; 0 where there is none."""
    if not analyte.below:
        return 0.0
    spread = np.hypot(analyte.slope * analyte.spread, analyte.residual)
    # The share below a normal quantile; 0.8416 leaves 20 %.
    z = {0.2: -0.8416}[analyte.below]
    return float(np.exp(analyte.mean + z * spread))


def simulate_trial(
    analytes: tuple[Analyte, ...], rng: np.random.Generator, *, times: int = 1, whole: bool = False
) -> pl.DataFrame:
    """Make one trial in long form; ``whole`` leaves nothing out and nothing below a limit."""
    sizes = [size * times for size in SIZES]
    arm = np.repeat(np.arange(len(ARMS)), sizes)
    n = len(arm)
    subject = np.array([f"S{number:07}" for number in range(n)])
    strata = rng.integers(0, 2, (2, n))
    parts = []
    for analyte in analytes:
        logs = analyte.mean + analyte.spread * rng.standard_normal(n)
        shared = rng.standard_normal(n)
        own = rng.standard_normal((n, len(VISITS)))
        noise = analyte.residual * np.sqrt(0.5) * (shared[:, None] + own)
        noise[rng.random(noise.shape) < analyte.outliers] *= 5.0
        effects = np.array([[log_effect(analyte, a, v) for v in VISITS] for a in ARMS])
        line = analyte.mean + analyte.slope * (logs - analyte.mean) + 0.1 * strata[0]
        values = np.exp(line[:, None] + effects[arm] + noise)
        gone = np.zeros(values.shape, dtype=bool) if whole else _dropout(np.log(values), rng)
        limit = 0.0 if whole else limit_of(analyte)
        parts += [
            pl.DataFrame(
                {
                    "usubjid": subject,
                    "arm": np.array(ARMS)[arm],
                    "strat1": strata[0].astype(str),
                    "strat2": strata[1].astype(str),
                    "paramcd": analyte.name,
                    "avisitn": visit,
                    "aval": pl.Series(values[:, k]).set(pl.Series(gone[:, k]), None),
                    "base": np.exp(logs),
                    "blq": (values[:, k] < limit) & ~gone[:, k],
                    "lloq": limit or None,
                },
                schema_overrides={"lloq": pl.Float64, "avisitn": pl.Int64},
            )
            for k, visit in enumerate(VISITS)
        ]
    return pl.concat(parts)


def _dropout(logs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Missing for good with a chance that depends on the visit before, and a few gaps."""
    standard = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    gone = rng.random(logs.shape) < 0.03
    left = rng.random(len(logs)) < 0.08
    gone[:, 0] |= left
    for visit in range(1, logs.shape[1]):
        chance = 1.0 / (1.0 + np.exp(2.2 - 0.6 * standard[:, visit - 1]))
        left = left | (rng.random(len(logs)) < chance)
        gone[:, visit] |= left
    return gone
