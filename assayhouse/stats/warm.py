"""Compile the searches for cuts ahead of their first use: ``python -m assayhouse.stats.warm``.

Compiled code is kept beside its module. Whoever starts this early and beside other work has
nothing to wait for later; results do not depend on it.
"""

import numpy as np

from assayhouse.stats.batting import batting
from assayhouse.stats.batting_worth import adjusted_p
from assayhouse.stats.modes import cutpoint

SUBJECTS, DRAWS = 60, 20


def main() -> None:
    """Run each compiled search once, on numbers without meaning."""
    order = np.arange(SUBJECTS)
    marker = (order * 37 % SUBJECTS).astype(float)
    arm, response = order % 2, order // 2 % 2
    rows = (order[None, :] * 7 + np.arange(DRAWS)[:, None]) % SUBJECTS
    batting(marker, arm, response, resamples=rows)
    batting(marker, arm, response, n_boot=DRAWS, rng=1)
    adjusted_p(marker, arm, response, n_null=DRAWS, rng=1)
    cutpoint(marker, n_sim=DRAWS, n_boot=DRAWS, rng=1)


if __name__ == "__main__":
    main()
