"""Mutated FCS files, gating documents and workspaces: a result or a typed error."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs import read_fcs
from assayhouse.instruments.gating import read_gating_ml, read_workspace

from support.fcs_files import fcs_bytes, packed
from support.fuzz import (  # noqa: F401 - with a fixture
    CHANGES,
    bounded_memory,
    check,
    check_inspection,
    fuzzed,
    mutated,
)
from support.gating_files import (
    axis,
    boolean,
    dependents,
    dimension,
    fcs_of,
    flowjo_gate,
    gate,
    gating_ml,
    population,
    sample,
    scale,
    spillover,
    vertices,
    workspace,
)

EVENTS = np.array([[1.0, 2.0], [3.0, 4.0]])
FIRST = fcs_bytes(EVENTS, NEXTDATA=1168)
FCS_SEEDS = [
    fcs_bytes(EVENTS, SPILLOVER="2,FSC-A,SSC-A,1,0.1,0.2,1", VOL="50000", P1S="CD3"),
    fcs_bytes(EVENTS, version="2.0"),
    fcs_bytes([[1, 2]], data=packed([[1, 2]], "H3"), datatype="I", P1B=16, P2B=24, P1E="4,0"),
    fcs_bytes([[1.5, 2]], version="3.2", data=packed([[1.5, 2]], "fH"), P2DATATYPE="I", P2B=16),
    FIRST + fcs_bytes(EVENTS, version="3.0"),
]
TRANSFORMS = "".join(
    f'<transforms:transformation transforms:id="{kind}"><transforms:{kind} transforms:T="100" '
    'transforms:M="2" transforms:A="0" transforms:W="0.5"/></transforms:transformation>'
    for kind in ("flin", "flog", "fasinh", "logicle", "hyperlog")
)
GATING_SEEDS = [
    gating_ml(
        TRANSFORMS
        + gate("RectangleGate", "r", dimension("A", low=0.1, high=0.9, scale="logicle"))
        + gate("RectangleGate", "h", dimension("B", low=0.1, scale="hyperlog"), parent="r")
        + gate(
            "PolygonGate", "p", dimension("A") + dimension("B") + vertices((0, 0), (9, 0), (5, 9))
        )
        + boolean("b", "and", "r", "~p")
    ),
]
BOX = flowjo_gate("RectangleGate", axis("Comp-A", low=1, high=90))
WORKSPACE_SEEDS = [
    workspace(
        sample(
            "s",
            population("Live", BOX, count=3, inside=[population("B+", BOX, count=1)]),
            population("or", dependents("Live", "Live/B+"), kind="OrNode"),
            scales=scale("biex", "A", neg=0, width=-10, pos=4.4, maxRange=262144)
            + scale("log", "B", offset=1, decades=4),
            matrix=spillover(["A", "B"], [[1, 0.1], [0.2, 1]]),
        )
    ),
]
FCS = fcs_of(A=[0, 10, 50], B=[1, 100, -5])


@fuzzed()
@given(seed=st.sampled_from(FCS_SEEDS), changes=CHANGES, more=st.booleans())
def test_any_fcs_file_is_read_or_refused(tmp_path_factory, seed, changes, more):
    path = tmp_path_factory.getbasetemp() / "fuzz.fcs"
    content = mutated(seed, changes)
    fcs = check(lambda file: read_fcs(file, data_set=1, decode=more), path, content)
    if fcs is not None:
        assert fcs.events.shape == (fcs.n_events, len(fcs.channels))
        assert fcs.events.dtype == np.float64
        assert len(set(fcs.channels)) == len(fcs.channels) == len(fcs.markers)
    if more:
        check_inspection(path)


def gated(read, path):
    """Read a document and apply it to events: either may refuse."""
    found = read(path)
    samples = getattr(found, "samples", None)
    for name in samples if samples is not None else (None,):
        inside = found.apply(FCS) if name is None else found.apply(name, FCS)
        assert all(mask.shape == (3,) and mask.dtype == np.bool_ for mask in inside.values())
    return found


@fuzzed()
@given(seed=st.sampled_from(GATING_SEEDS), changes=CHANGES)
def test_any_gating_document_is_applied_or_refused(tmp_path_factory, seed, changes):
    path = tmp_path_factory.getbasetemp() / "fuzz.xml"
    check(lambda file: gated(read_gating_ml, file), path, mutated(seed, changes))
    check_inspection(path)


@fuzzed()
@given(seed=st.sampled_from(WORKSPACE_SEEDS), changes=CHANGES)
def test_any_workspace_is_applied_or_refused(tmp_path_factory, seed, changes):
    path = tmp_path_factory.getbasetemp() / "fuzz.wsp"
    check(lambda file: gated(read_workspace, file), path, mutated(seed, changes))
    check_inspection(path)


def test_the_seeds_themselves_are_read(tmp_path):
    for seed in FCS_SEEDS:
        assert check(lambda file: read_fcs(file, data_set=1), tmp_path / "f", seed) is not None
    for read, seeds in ((read_gating_ml, GATING_SEEDS), (read_workspace, WORKSPACE_SEEDS)):
        for seed in seeds:
            path = tmp_path / "f"
            path.write_bytes(seed)
            try:
                gated(read, path)
            except InstrumentFileError as error:
                raise AssertionError(str(error)) from error
