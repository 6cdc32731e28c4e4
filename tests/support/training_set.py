"""Makes the SYNTHETIC training set of the shipped study: 96 people outside the trial.

Scores are drawn from the simulator's own distribution of the trial's baseline, all arms taken
together, and moved so that the declared rule gives the printed cut-off. Nobody measured them:
the paper prints the cut-offs, not the values they came from.
"""

import numpy as np

from assayhouse.simulate.scores import PARAMCDS, plan
from assayhouse.stats.modes import antimode

PEOPLE, SEED, DECIMALS = 96, 2, 4
COLUMN = {"IKZF1": "IKZF1L", "IKZF3": "IKZF3L"} | {
    name: f"{name}L" for name in ("IFNMOD", "EQTLMOD", "TEXMOD", "BMOD")
}
_GRID = np.linspace(-4.5, 4.5, 1201)


def scores():
    """Log2 scores of 96 people by module, moved to the printed cut-off."""
    rng = np.random.Generator(np.random.Philox(SEED))
    shared = rng.normal(size=PEOPLE)
    found = {}
    for name in PARAMCDS:
        latent = rng.normal(size=PEOPLE)
        if plan(name).two_humped:
            latent = 0.93 * shared + np.sqrt(1 - 0.93**2) * latent
        values = np.interp(latent, _GRID, plan(name).pooled)
        middle = antimode(values, n_boot=0).value if plan(name).two_humped else np.median(values)
        found[COLUMN[name]] = np.round(values - middle + plan(name).cut, DECIMALS)
    return found


def text():
    """The file."""
    columns = scores()
    lines = ["subject," + ",".join(columns)]
    for place in range(PEOPLE):
        row = ",".join(f"{values[place]:.{DECIMALS}f}" for values in columns.values())
        lines.append(f"SYN-{place + 1:03d},{row}")
    return "\n".join(lines) + "\n"
