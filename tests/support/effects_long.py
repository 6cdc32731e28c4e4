"""Small trials in long form for the analysis of effects."""

import numpy as np
import polars as pl

from assayhouse.analysis.effects import EffectSpec, ImputeSpec

ARMS = ("active", "control", "double")


def trial(*, per_arm=12, visits=(4, 8), parameters=("A",), seed=11, arms=ARMS):
    """A complete trial: positive values, two strata, one subgroup column, nothing BLQ."""
    rows = []
    for parameter in parameters:
        rng = np.random.default_rng([seed, *parameter.encode()])
        for number in range(per_arm * len(arms)):
            base = float(np.exp(rng.normal(2, 0.4)))
            rows += [
                {
                    "usubjid": f"S{number:03}",
                    "arm": arms[number % len(arms)],
                    "paramcd": parameter,
                    "avisitn": visit,
                    "aval": float(base * np.exp(rng.normal(0.1 * (number % len(arms)), 0.3))),
                    "base": base,
                    "blq": False,
                    "lloq": 0.5,
                    "site": "north" if number % 2 else "south",
                    "sex": "F" if number % 5 < 3 else "M",
                    "module": "high" if number % 4 < 2 else "low",
                }
                for visit in visits
            ]
    return pl.DataFrame(rows)


def spec(reference="control", **changes):
    """Observed cases with the default options and changes to them."""
    options = {"population": "observed_at_visit", "impute": ImputeSpec(method="none")}
    return EffectSpec(reference, **(options | changes))


def change(frame, where, **values):
    """Set columns of the rows that meet a condition."""
    return frame.with_columns(
        pl.when(where).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )
