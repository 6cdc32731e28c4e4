"""The synthetic central laboratory's report: anti-dsDNA, blood counts, chemistry. Draws nothing."""

from collections.abc import Mapping, Sequence

import numpy as np

from assayhouse.simulate.haematology import (
    LLOQ,
    Blood,
    decimals_of,
    draw_antibodies,
    draw_chemistry,
)
from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import Levels
from assayhouse.simulate.specimens import Specimens
from assayhouse.simulate.streams import FloatArray
from assayhouse.simulate.subjects import Subjects
from assayhouse.simulate.texts import (
    fixed_texts,
    interleave,
    significant_texts,
    table_rows,
    where_texts,
    whole_texts,
)
from assayhouse.simulate.vendor_layouts import LB

TESTS = ("ADSDNA", "LYM", "WBC", "CREAT", "ALB", "C3", "C4")
_UNITS = {"ADSDNA": "IU/mL", "LYM": "cells/uL", "WBC": "cells/uL", "CREAT": "umol/L"}
_UNITS |= {"ALB": "g/L", "C3": "g/L", "C4": "g/L"}
_RANGES: dict[str, tuple[float, float]] = {
    "ADSDNA": (0, 8),
    "LYM": (1000, 4000),
    "WBC": (4000, 11000),
    "CREAT": (45, 90),
}
_RANGES |= {"ALB": (35, 50), "C3": (0.9, 1.8), "C4": (0.1, 0.4)}
REPORTED_UNITS = {"WBC": ("10^9/L", 1000.0)}
"""Tests whose reported unit is not the standard one, and what one of it is in standard units."""
SPECIMENS = {"LYM": "BLOOD", "WBC": "BLOOD"}


def draw_tests(seed: int, subjects: Subjects, blood: Blood) -> dict[str, Levels]:
    """Measure every test in everybody at every visit."""
    counts = {"LYM": blood.lymphocytes, "WBC": blood.leucocytes}
    every = {"ADSDNA": draw_antibodies(seed, subjects)}
    every |= counts | draw_chemistry(seed, subjects)
    return {paramcd: every[paramcd] for paramcd in TESTS}


def _number_texts(paramcd: str, values: FloatArray) -> list[str]:
    if paramcd == "ADSDNA":
        return significant_texts(values)
    if paramcd in {"LYM", "WBC"}:
        return whole_texts(values)
    return fixed_texts(values, decimals_of(paramcd))


def _test_cells(
    specimens: Specimens, paramcd: str, levels: Levels
) -> dict[str, Sequence[str] | str]:
    rows, visit = specimens.subject, specimens.visit
    values, lost = levels.reported[rows, visit], levels.lost[rows, visit]
    blq = levels.blq[rows, visit] & ~lost
    standard = _number_texts(paramcd, values)
    unit, factor = REPORTED_UNITS.get(paramcd, (_UNITS[paramcd], 1.0))
    shown = standard if factor == 1.0 else fixed_texts(values / factor, 2)
    limit = LLOQ[paramcd] / factor
    low, high = _RANGES[paramcd]
    position = np.where(values < low, "LOW", np.where(values > high, "HIGH", "NORMAL")).tolist()
    return {
        "LBSEQ": str(len(TESTS) * visit + TESTS.index(paramcd) + 1),
        "LBTESTCD": paramcd,
        "LBORRES": where_texts(lost, "", where_texts(blq, f"<{limit:g}", shown)),
        "LBORRESU": unit,
        "LBSTRESN": where_texts(lost | blq, "", standard),
        "LBSTRESU": _UNITS[paramcd],
        "LBLLOQ": f"{limit:g}",
        "LBNRIND": where_texts(lost, "", position),
        "LBSTAT": where_texts(lost, "NOT DONE", ""),
        "LBREASND": where_texts(lost, "QNS", ""),
        "LBSPEC": SPECIMENS.get(paramcd, "SERUM"),
    }


def central_rows(tests: Mapping[str, Levels], specimens: Specimens) -> list[Row]:
    """Lines of ``central_lab.lb`` that one visit adds."""
    identity = specimens.identity
    common = identity | {"LBREFID": identity["ACCNO"], "LBDTC": identity["COLDTM"]}
    blocks = [
        table_rows(
            LB.columns, common | _test_cells(specimens, paramcd, levels), size=len(specimens)
        )
        for paramcd, levels in tests.items()
    ]
    return interleave(blocks)
