"""A process that publishes generation after generation until it is killed.

In generation g every table says g: the reference table in each row, the layout's table in its
receipts, the publication in its visible receipts. A reader who sees two different numbers saw a
half-made publication.
"""

import sys
from pathlib import Path

import polars as pl

from assayhouse.errors import HomeError
from assayhouse.warehouse.catalogue import build_warehouse, published_in
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

from support.small_study import RAW, results, study

ROWS = 40


def arms_of(generation):
    return pl.DataFrame({"ARMCD": [f"{n:05d}" for n in range(3000)], "ARM": str(generation)})


def results_of(generation):
    values = {(f"{generation}-{n}", "T"): float(n) for n in range(ROWS)}
    return results(generation, values)


def findings_of(generation):
    return pl.DataFrame(
        {
            "DOMAIN": "LB",
            "USUBJID": [f"S{n}" for n in range(100)],
            "LBSEQ": 1,
            "LBTESTCD": "T",
            "LBSTRESN": float(generation),
            "VISIT": None,
            "receipt": generation,
            "LBEXTRA": None,
        }
    )


def publish_generation(lake):
    """Carry the home from the generation it serves to the next one."""
    former = lake.publication()
    if former is not None and published_in(lake.home, "open") != (former.number, False):
        build_warehouse(lake, former, serve_sealed=False)
    generation = 1 if former is None else len(former.visible) + 1
    visible = frozenset(range(1, generation + 1))
    lake.append_receipt(RAW, [results_of(generation)], receipt=generation)
    lake.publish("ref.arms", arms_of(generation))
    lake.publish("sdtm.lb", findings_of(generation), inputs={RAW: lake.visible_hash(RAW, visible)})
    moment = f"2026-01-01T00:{generation // 60:02d}:{generation % 60:02d}Z"
    publication = lake.bind(visible=visible, reason="test", at=moment)
    build_warehouse(lake, publication, serve_sealed=False)
    return generation


def main(root, last):
    lake = Lake(Home(root / "home"), study(root / "study"))
    done = 0
    print("ready", flush=True)
    while done < last:
        try:
            with lake.home.lock(wait_seconds=30):
                served = lake.publication()
                done = 0 if served is None else len(served.visible)
                if done < last:
                    done = publish_generation(lake)
        except HomeError:
            continue


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
