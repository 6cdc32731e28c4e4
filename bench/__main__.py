"""`make bench`: intake beside DuckDB's bare read, kills of the demo, effects, instruments, poppk.

Coverage of the effects' intervals is measured on request only: it simulates for hours.
"""

import argparse

from bench import effects, effects_coverage, instruments, instruments_plates, intake, kills, poppk

DEFAULT = ("intake", "kills", "effects", "instruments", "poppk")


def main() -> None:
    """Run the measurements named on the command line, or all short ones."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    choices = [*DEFAULT, "effects_coverage"]
    parser.add_argument("what", nargs="*", choices=choices, default=list(DEFAULT))
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trials", type=int, default=2000, help="of effects_coverage")
    parser.add_argument("--presets", nargs="*", default=list(effects_coverage.PRESETS))
    chosen = parser.parse_args()
    if "intake" in chosen.what:
        intake.run(chosen.rows)
    if "kills" in chosen.what:
        kills.run(chosen.kills)
    if "effects" in chosen.what:
        effects.run()
    if "instruments" in chosen.what:
        instruments.run()
        instruments_plates.run()
    if "poppk" in chosen.what:
        poppk.run()
    if "effects_coverage" in chosen.what:
        effects_coverage.run(chosen.trials, presets=chosen.presets)


if __name__ == "__main__":
    main()
