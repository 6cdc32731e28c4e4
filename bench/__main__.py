"""`make bench`: intake beside DuckDB's bare read, and kills of the whole demo."""

import argparse

from bench import intake, kills


def main() -> None:
    """Run the measurements named on the command line, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["intake", "kills"], default=["intake", "kills"])
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--kills", type=int, default=20)
    chosen = parser.parse_args()
    if "intake" in chosen.what:
        intake.run(chosen.rows)
    if "kills" in chosen.what:
        kills.run(chosen.kills)


if __name__ == "__main__":
    main()
