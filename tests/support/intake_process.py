"""A night that takes in four transfers, in a process of its own that may be killed."""

import sys
from pathlib import Path

from assayhouse.warehouse.content import content_hash
from assayhouse.warehouse.lake import Lake

from support.deliveries import Bench, layout, row, rows, study_of

ROWS = 4000


def study():
    """Two layouts of one vendor: the second on the sealed side."""
    other = layout(layout="acme.wells", file_pattern="^wells", sealed_under=("codes",))
    return study_of(layout(), other)


def bench(folder):
    """Open the home, made where it is not there yet."""
    return Bench(Path(folder), study())


def send_all(bench):
    """Drop first, corrected, cut and repeated files of both layouts."""
    first = rows(ROWS)
    faulty = [*first[:-60], row(ROWS + 2, value="1,5")]
    second = [*first[20:], row(ROWS + 1), row(ROWS + 2, value="x"), row(ROWS + 3)]
    second[7] = row(28, value="9.9")
    bench.send(first, name="results_1.csv", transfer=1)
    bench.send(second, name="results_2.csv", transfer=2)
    bench.send(faulty, name="wells_1.csv", transfer=1, layout="acme.wells")
    bench.send([*first, row(ROWS + 1)], name="wells_2.csv", transfer=2, layout="acme.wells")
    bench.send([*first, row(ROWS + 1)], name="wells_3.csv", transfer=3, layout="acme.wells")


def night(bench):
    """Scan and ingest, whatever a former night left."""
    bench.scan()
    return {item.receipt: item.state for item in bench.ingest_all()}


def contents(bench):
    """Content hash of every table on its side."""
    lake = Lake(bench.home, bench.declarations)
    return {
        (relation, commit.side): content_hash(
            lake.scan(relation, side=commit.side).collect(), lake.spec(relation)
        )
        for relation in bench.declarations.tables
        for commit in lake.heads(relation)
    }


def main(folder):
    """Say when the work begins and when it is done."""
    worker = bench(folder)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    night(worker)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(sys.argv[1])
