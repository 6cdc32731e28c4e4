"""`make bench`: intake, a hundred studies, kills, effects, instruments, poppk, cut points.

Coverage of the effects' intervals and the error of the cut points' p are measured on request
only: they simulate for hours.
"""

import argparse
from collections.abc import Callable

from bench import (
    cutpoint_error,
    cutpoints,
    effects,
    effects_coverage,
    hundred,
    instruments,
    instruments_plates,
    intake,
    kills,
    poppk,
)

Run = Callable[[argparse.Namespace], object]

DEFAULT: dict[str, tuple[Run, ...]] = {
    "intake": (lambda chosen: intake.run(chosen.rows),),
    "hundred": (lambda chosen: hundred.run(chosen.multiples),),
    "kills": (lambda chosen: kills.run(chosen.kills),),
    "effects": (lambda _: effects.run(),),
    "instruments": (lambda _: instruments.run(), lambda _: instruments_plates.run()),
    "poppk": (lambda _: poppk.run(),),
    "cutpoints": (lambda _: cutpoints.run(),),
}
ON_REQUEST: dict[str, tuple[Run, ...]] = {
    "effects_coverage": (
        lambda chosen: effects_coverage.run(chosen.trials, presets=chosen.presets),
    ),
    "cutpoint_error": (lambda chosen: cutpoint_error.run(chosen.trials),),
}


def main() -> None:
    """Run the measurements named on the command line, or all short ones."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    known = {**DEFAULT, **ON_REQUEST}
    parser.add_argument("what", nargs="*", choices=list(known), default=list(DEFAULT))
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--multiples", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trials", type=int, default=2000, help="of simulations")
    parser.add_argument("--presets", nargs="*", default=list(effects_coverage.PRESETS))
    chosen = parser.parse_args()
    for name, runs in known.items():
        if name in chosen.what:
            for run in runs:
                run(chosen)


if __name__ == "__main__":
    main()
