"""Requisitions of the synthetic EDC: what each laboratory should receive. Knows no result."""

from collections.abc import Mapping, Sequence

from assayhouse.simulate.layouts import Row
from assayhouse.simulate.specimens import Specimens
from assayhouse.simulate.texts import table_rows
from assayhouse.simulate.vendor_layouts import REQUISITION

SPECIMEN_TYPES = {
    "covance_flow": ("WHOLE BLOOD", "FLOW PANEL"),
    "epiontis": ("WHOLE BLOOD FROZEN", "EPIGENETIC CELL COUNTS"),
    "singulex": ("PLASMA EDTA", "CYTOKINES"),
    "dxterity": ("WHOLE BLOOD STABILISED", "GENE EXPRESSION"),
    "central_lab": ("SERUM AND WHOLE BLOOD", "CHEMISTRY HAEMATOLOGY SEROLOGY"),
    "pk_lab": ("PLASMA", "DRUG CONCENTRATION"),
}


def requisition_rows(specimens: Sequence[Specimens]) -> list[Row]:
    """Lines of ``edc.requisition``: one per specimen that was sent to a laboratory."""
    rows: list[Row] = []
    for sent in specimens:
        kind, tests = SPECIMEN_TYPES[sent.vendor]
        cells: Mapping[str, Sequence[str] | str] = sent.identity | {
            "VENDOR": sent.vendor,
            "SPECTYPE": kind,
            "TESTS": tests,
        }
        rows += table_rows(REQUISITION.columns, cells, size=len(sent))
    return rows
