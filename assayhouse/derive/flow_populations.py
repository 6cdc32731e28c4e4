"""Populations of one stained tube from its events: gates applied, events counted, beads beside.

Counts what the declared gates hold; compares with nothing that was reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assayhouse.contracts.instrument_file import FlowPanel, FlowPlan
from assayhouse.derive.cell_counts import bead_count, bead_count_cv
from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import identify
from assayhouse.instruments.fcs import FcsFile
from assayhouse.instruments.gate_tree import EventAxes, evaluate
from assayhouse.instruments.gates import BoolArray, Gate
from assayhouse.instruments.gating import read_gating_ml, read_workspace

NO_GATE, NO_BEADS = "GATE NOT IN DOCUMENT", "NO BEADS COUNTED"
SCHEMA = {
    "population": pl.String,
    "TESTCD": pl.String,
    "events": pl.Float64,
    "parent_events": pl.Float64,
    "percent": pl.Float64,
    "bead_events": pl.Float64,
    "beads": pl.Float64,
    "sample_ul": pl.Float64,
    "acquired_ul": pl.Float64,
    "dilution": pl.Float64,
    "status": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelGates:
    """Gates of a panel's document with the events of one tube along their axes.

    Parameters
    ----------
    gates : mapping of str to Gate
        By identifier, of a workspace by path.
    axes : EventAxes
        The tube's events.
    labels : mapping of str to str
        What people call each gate.
    """

    gates: Mapping[str, Gate]
    axes: EventAxes
    labels: Mapping[str, str]

    def inside(self) -> dict[str, BoolArray]:
        """Say which events lie in which gate.

        Raises
        ------
        InstrumentFileError
            A gate is of a kind that is not evaluated, or the events lack a channel.
        """
        return evaluate(self.gates, self.axes)


def panel_gates(fcs: FcsFile, panel: FlowPanel) -> PanelGates:
    """Read the declared document of a panel for one tube.

    Parameters
    ----------
    fcs : FcsFile
        Decoded events.
    panel : FlowPanel
        Its document is Gating-ML 2.0, or a FlowJo 10 workspace with one sample, whose gates stand
        for every tube of the panel and are named by their paths.

    Raises
    ------
    InstrumentFileError
        The document is neither or has several samples.
    """
    if identify(panel.gates) != "flowjo_wsp":
        strategy = read_gating_ml(panel.gates)
        names = {name: name for name in strategy.gates}
        axes = EventAxes(fcs, strategy.matrices)
        return PanelGates(gates=strategy.gates, axes=axes, labels=names)
    workspace = read_workspace(panel.gates)
    if len(workspace.samples) != 1:
        message = (
            f"the workspace of panel {panel.panel} has {len(workspace.samples)} samples; declare "
            "one with the single sample whose gates hold for the panel"
        )
        raise InstrumentFileError(message, code="unsupported_feature")
    (sample,) = workspace.samples
    gates = workspace.gates(sample)
    names = {path: path.rpartition("/")[2].replace("%2F", "/") for path in gates}
    return PanelGates(gates=gates, axes=workspace.axes(sample, fcs), labels=names)


def derive_populations(
    fcs: FcsFile, plan: FlowPlan, panel: FlowPanel, gates: Mapping[str, BoolArray]
) -> pl.DataFrame:
    """Count the populations of one tube.

    Parameters
    ----------
    fcs : FcsFile
        Decoded events.
    plan : FlowPlan
        Which keywords say beads per tube, sample volume and dilution.
    panel : FlowPanel
        Populations with the gates that hold them.
    gates : mapping of str to (n_events,) boolean array
        From `PanelGates.inside`.

    Returns
    -------
    DataFrame
        One row per population: population (gate), TESTCD, events, parent_events, percent of the
        parent, bead_events, beads (per tube), sample_ul, acquired_ul, dilution, count_per_ul and
        count_cv_pct of a count with beads, and status (null where the events were counted).
    """
    inside = {name: float(mask.sum()) for name, mask in gates.items()}
    beads = None if panel.beads is None else inside.get(panel.beads)
    tube = {
        "bead_events": beads,
        "beads": _keyword(fcs.keywords, plan.beads_per_tube),
        "sample_ul": _keyword(fcs.keywords, plan.sample_ul),
        "acquired_ul": None if fcs.volume_nl is None else fcs.volume_nl / 1000.0,
        "dilution": _keyword(fcs.keywords, plan.dilution) or 1.0,
    }
    rows = []
    for item in panel.populations:
        events, parent = inside.get(item.gate), inside.get(item.parent)
        missing = events is None or parent is None
        rows.append(
            {
                "population": item.gate,
                "TESTCD": item.testcd,
                "events": events,
                "parent_events": parent,
                "percent": 100.0 * events / parent if events is not None and parent else None,
                **tube,
                "status": NO_GATE if missing else (NO_BEADS if beads == 0 else None),
            }
        )
    return with_bead_counts(pl.DataFrame(rows, schema=SCHEMA))


def no_populations(status: str) -> pl.DataFrame:
    """One row that says why a tube has no population."""
    row = dict.fromkeys(SCHEMA) | {"population": "", "status": status}
    return with_bead_counts(pl.DataFrame([row], schema=SCHEMA))


def with_bead_counts(rows: pl.DataFrame) -> pl.DataFrame:
    """Give populations their count by beads and its counting error.

    Parameters
    ----------
    rows : DataFrame
        events, bead_events, beads, sample_ul, dilution.

    Returns
    -------
    DataFrame
        The rows with count_per_ul and count_cv_pct; null where a part is missing or zero.
    """
    parts = rows.with_columns(pl.col("sample_ul").alias("volume"))
    count, error = bead_count(), 100.0 * bead_count_cv()
    return parts.with_columns(
        pl.when(count.is_finite()).then(count).alias("count_per_ul"),
        pl.when(error.is_finite()).then(error).alias("count_cv_pct"),
    ).drop("volume")


def _keyword(keywords: Mapping[str, str], name: str | None) -> float | None:
    """Read the number under a keyword; None where there is none."""
    try:
        return float(keywords.get((name or "").upper(), ""))
    except ValueError:
        return None
