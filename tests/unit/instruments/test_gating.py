"""Gates of Gating-ML and of FlowJo on a handful of events that can be checked by eye."""

import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError, ModelDataError
from assayhouse.instruments import identify, inspect
from assayhouse.instruments.flowjo_scales import FlowJoBiex
from assayhouse.instruments.gating import (
    GatingStrategy,
    Workspace,
    absolute_count,
    read_gating_ml,
    read_workspace,
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

FCS = fcs_of(A=[0, 1, 2, 3, 4], B=[0, 2, 4, 2, 0])
LOW = gate("RectangleGate", "low", dimension("A", low=1, high=3))


def written(tmp_path, content, name="gates.bin"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def applied(tmp_path, body, fcs=FCS):
    found = read_gating_ml(written(tmp_path, gating_ml(body))).apply(fcs)
    return {name: np.flatnonzero(inside).tolist() for name, inside in found.items()}


def refusal(read, path):
    with pytest.raises(InstrumentFileError) as caught:
        read(path)
    return caught.value.code


def test_a_range_is_closed_below_and_open_above(tmp_path):
    assert applied(tmp_path, LOW) == {"low": [1, 2]}
    both = gate("RectangleGate", "r", dimension("A", low=1) + dimension("B", high=3))
    assert applied(tmp_path, both) == {"r": [1, 3, 4]}


def test_a_polygon_that_crosses_itself_is_empty_where_it_overlaps(tmp_path):
    star = [(0, 3), (1.8, -2.4), (-2.9, 0.9), (2.9, 0.9), (-1.8, -2.4)]
    body = dimension("A") + dimension("B") + vertices(*star)
    fcs = fcs_of(A=[0, 0, 2.0, 5.0], B=[0, 2, 0.7, 5.0])
    assert applied(tmp_path, gate("PolygonGate", "star", body), fcs) == {"star": [1, 2]}


def test_an_ellipsoid_holds_its_border(tmp_path):
    rows = "<gating:row>{}</gating:row>"
    entry = '<gating:entry data-type:value="{}"/>'
    matrix = "".join(rows.format("".join(entry.format(v) for v in row)) for row in ((4, 0), (0, 1)))
    body = (
        dimension("A") + dimension("B")
        + '<gating:mean><gating:coordinate data-type:value="2"/>'
        '<gating:coordinate data-type:value="2"/></gating:mean>'
        f"<gating:covarianceMatrix>{matrix}</gating:covarianceMatrix>"
        '<gating:distanceSquare data-type:value="1"/>'
    )  # fmt: skip
    fcs = fcs_of(A=[2, 4, 2, 0, 4], B=[2, 2, 3, 2, 3])
    assert applied(tmp_path, gate("EllipsoidGate", "e", body), fcs) == {"e": [0, 1, 2, 3]}


def test_quadrants_are_told_by_their_own_ids(tmp_path):
    divider = (
        '<gating:divider gating:id="d{0}" gating:compensation-ref="uncompensated">'
        '<data-type:fcs-dimension data-type:name="{0}"/>{1}</gating:divider>'
    )
    cuts = divider.format("A", "<gating:value>3</gating:value><gating:value>1</gating:value>")
    cuts += divider.format("B", "<gating:value>2</gating:value>")
    quadrant = (
        '<gating:Quadrant gating:id="{0}"><gating:position gating:divider_ref="dA" '
        'gating:location="{1}"/><gating:position gating:divider_ref="dB" gating:location="{2}"/>'
        "</gating:Quadrant>"
    )
    body = cuts + quadrant.format("middle-high", 2, 9) + quadrant.format("right-low", 8, 0)
    assert applied(tmp_path, gate("QuadrantGate", "q", body)) == {
        "middle-high": [1, 2],
        "right-low": [4],
    }


def test_booleans_parents_and_complements(tmp_path):
    high_b = gate("RectangleGate", "b", dimension("B", low=2))
    body = (
        boolean("both", "and", "low", "b")
        + boolean("either", "or", "low", "b")
        + boolean("neither", "not", "either")
        + boolean("b-not-low", "and", "b", "~low")
        + gate("RectangleGate", "child", dimension("A", high=2), parent="b")
        + LOW
        + high_b
    )
    found = applied(tmp_path, body)
    assert list(found) == ["both", "either", "neither", "b-not-low", "child", "low", "b"]
    assert found["both"] == [1, 2]
    assert found["either"] == [1, 2, 3]
    assert found["neither"] == [0, 4]
    assert found["b-not-low"] == [3]
    assert found["child"] == [1]


def test_gain_and_time_step_are_applied_and_compensation_undone(tmp_path):
    fcs = fcs_of(
        {"$TIMESTEP": "0.5", "$P1G": "2", "$P2G": "7"},
        spillover=[[1, 0], [0, 1]],
        A=[2, 4, 6],
        Time=[2, 4, 6],
    )
    body = gate("RectangleGate", "gain", dimension("A", low=2, high=3))
    body += gate("RectangleGate", "time", dimension("Time", low=1, high=2))
    assert applied(tmp_path, body, fcs) == {"gain": [1], "time": [0]}


def test_the_files_own_spillover_is_used_where_a_gate_asks_for_it(tmp_path):
    pure = np.array([[10.0, 0], [0, 10.0]])
    mixing = [[1, 0.5], [0.1, 1]]
    mixed = pure @ np.array(mixing)
    fcs = fcs_of(spillover=mixing, A=mixed[:, 0], B=mixed[:, 1])
    body = gate("RectangleGate", "r", dimension("B", low=0.5, compensation="FCS"))
    assert applied(tmp_path, body, fcs) == {"r": [1]}
    assert applied(tmp_path, body.replace("FCS", "uncompensated"), fcs) == {"r": [0, 1]}


def test_a_declared_matrix_unmixes_by_fluorochrome(tmp_path):
    name = '<data-type:fcs-dimension data-type:name="{}"/>'
    row = "<transforms:spectrum>{}</transforms:spectrum>"
    value = '<transforms:coefficient transforms:value="{}"/>'

    def matrix(rows, *, already="false"):
        return (
            f'<transforms:spectrumMatrix transforms:id="M" '
            f'transforms:matrix-inverted-already="{already}">'
            f"<transforms:fluorochromes>{name.format('dyeA')}{name.format('dyeB')}"
            "</transforms:fluorochromes><transforms:detectors>"
            f"{name.format('A')}{name.format('B')}</transforms:detectors>"
            + "".join(row.format("".join(value.format(v) for v in each)) for each in rows)
            + "</transforms:spectrumMatrix>"
        )

    wanted = gate("RectangleGate", "r", dimension("dyeB", low=5, compensation="M"))
    fcs = fcs_of(A=[10, 1, 0], B=[5, 10, 10])
    assert applied(tmp_path, matrix([[1, 0.5], [0.1, 1]]) + wanted, fcs) == {"r": [1, 2]}
    inverse = np.linalg.inv([[1, 0.5], [0.1, 1]]).tolist()
    assert applied(tmp_path, matrix(inverse, already="true") + wanted, fcs) == {"r": [1, 2]}


def test_a_ratio_is_a_dimension_of_its_own(tmp_path):
    body = (
        '<transforms:transformation transforms:id="R"><transforms:fratio transforms:A="2" '
        'transforms:B="0" transforms:C="-1"><data-type:fcs-dimension data-type:name="A"/>'
        '<data-type:fcs-dimension data-type:name="B"/></transforms:fratio>'
        "</transforms:transformation>"
        + gate(
            "RectangleGate",
            "ratio",
            '<gating:dimension gating:min="1"><data-type:new-dimension '
            'data-type:transformation-ref="R"/></gating:dimension>',
        )
    )
    assert applied(tmp_path, body) == {"ratio": [3, 4]}


SCALED = (
    '<transforms:transformation transforms:id="S"><transforms:{0} transforms:T="100" '
    'transforms:M="2" transforms:A="0" transforms:W="0.5"/></transforms:transformation>'
)


@pytest.mark.parametrize("kind", ["flin", "flog", "fasinh", "logicle", "hyperlog"])
def test_every_scale_puts_its_top_at_one(tmp_path, kind):
    body = SCALED.format(kind) + gate(
        "RectangleGate", "top", dimension("A", low=0.999999, high=1.000001, scale="S")
    )
    assert applied(tmp_path, body, fcs_of(A=[50, 100, 200])) == {"top": [1]}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_gating_ml"),
        (b"<html><body>no such page</body></html>", "not_gating_ml"),
        (b"<other>Gating-ML</other>", "not_gating_ml"),
        (gating_ml("").replace(b"v2.0", b"v1.5"), "unsupported_version"),
        (gating_ml(LOW)[:-30], "truncated"),
        (gating_ml(LOW).replace(b"</gating:dimension>", b"</b>"), "damaged"),
        (gating_ml(LOW + LOW), "damaged"),
        (gating_ml(LOW.replace('"3"', '"high"')), "damaged"),
        (gating_ml(LOW.replace('"3"', '"1e999"')), "damaged"),
        (gating_ml(boolean("b", "not", "nothing")), "damaged"),
        (gating_ml(boolean("a", "not", "b") + boolean("b", "not", "a")), "damaged"),
        (gating_ml(boolean("a", "and", "a")), "damaged"),
        (gating_ml(gate("PolygonGate", "p", dimension("A") + vertices((0, 1)))), "damaged"),
        (gating_ml(gate("RectangleGate", "p", "")), "damaged"),
        (gating_ml(SCALED.format("weird")), "unsupported_feature"),
        (gating_ml("<a>" * 300 + "</a>" * 300), "too_large"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + gating_ml(LOW).partition(b"?>")[2], "unsafe_xml"),
        (b"<!DOCTYPE a [<!ELEMENT b ANY>]>" + gating_ml(LOW).partition(b"?>")[2], "unsafe_xml"),
        (b'<!DOCTYPE a SYSTEM "b.dtd">' + gating_ml(LOW).partition(b"?>")[2], "unsafe_xml"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_used_is_refused_by_name(tmp_path, content, code):
    assert refusal(read_gating_ml, written(tmp_path, content)) == code


def test_a_bare_doctype_is_harmless(tmp_path):
    content = b"<!DOCTYPE gating>" + gating_ml(LOW).partition(b"?>")[2]
    assert read_gating_ml(written(tmp_path, content)).gate_ids == ("low",)


def test_a_gate_on_a_channel_or_matrix_that_is_not_there_is_refused():
    for body in (
        gate("RectangleGate", "r", dimension("Z")),
        gate("RectangleGate", "r", dimension("A", compensation="M")),
    ):
        from assayhouse.instruments.gating_ml import parse_gating_ml

        document = parse_gating_ml(gating_ml(body))
        strategy = GatingStrategy(gates=document.gates, matrices=document.matrices)
        with pytest.raises(InstrumentFileError) as caught:
            strategy.apply(FCS)
        assert caught.value.code == "damaged"


RECTANGLE = flowjo_gate("RectangleGate", axis("A", low=1, high=4))


def opened(tmp_path, *samples, **more):
    return read_workspace(written(tmp_path, workspace(*samples, **more)))


def counts(found):
    return {name: int(inside.sum()) for name, inside in found.items()}


def test_counts_are_those_of_the_sample_and_may_be_stale(tmp_path):
    group = f"<Groups><GroupNode>{population('Cells', RECTANGLE, count=99)}</GroupNode></Groups>"
    found = opened(
        tmp_path,
        sample("a.fcs", population("Cells", RECTANGLE, count=-1)),
        sample("a.fcs", population("Cells", RECTANGLE, count=7)),
        sample("b.fcs", population("Cells", RECTANGLE, count=None)),
        groups=group,
    )
    assert found.samples == ("a.fcs", "a.fcs_2", "b.fcs")
    assert [found.stored_counts(name) for name in found.samples] == [
        {"Cells": -1}, {"Cells": 7}, {"Cells": -1}
    ]  # fmt: skip
    assert counts(found.apply("a.fcs_2", FCS)) == {"Cells": 3}


def test_paths_begin_below_the_root_and_escape_a_slash(tmp_path):
    inner = population("CD4/CD8", flowjo_gate("RectangleGate", axis("B", low=3)), count=1)
    found = opened(tmp_path, sample("s", population("Live", RECTANGLE, count=3, inside=[inner])))
    assert found.stored_counts("s") == {"Live": 3, "Live/CD4%2FCD8": 1}
    assert counts(found.apply("s", FCS)) == {"Live": 3, "Live/CD4%2FCD8": 1}


def test_boolean_populations_and_gates_turned_inside_out(tmp_path):
    high = population("B+", flowjo_gate("RectangleGate", axis("B", low=2)))
    outside = population("not A", flowjo_gate("RectangleGate", axis("A", low=1, high=4), inside=0))
    found = opened(
        tmp_path,
        sample(
            "s",
            population("A", RECTANGLE),
            high,
            outside,
            population("and", dependents("A", "B+"), kind="AndNode"),
            population("or", dependents("A", "not A"), kind="OrNode"),
            population("not", dependents("A"), kind="NotNode"),
        ),
    )
    assert counts(found.apply("s", FCS)) == {
        "A": 3, "B+": 3, "not A": 2, "and": 3, "or": 5, "not": 2
    }  # fmt: skip


def test_a_compensated_channel_is_known_by_its_prefix(tmp_path):
    mixing = [[1, 0.5], [0.1, 1]]
    mixed = np.array([[10.0, 0], [0, 10.0]]) @ np.array(mixing)
    fcs = fcs_of(A=mixed[:, 0], B=mixed[:, 1])
    found = opened(
        tmp_path,
        sample(
            "s",
            population("comp", flowjo_gate("RectangleGate", axis("Comp-B", low=0.5))),
            population("raw", flowjo_gate("RectangleGate", axis("B", low=0.5))),
            matrix=spillover(["A", "B"], mixing),
        ),
    )
    assert counts(found.apply("s", fcs)) == {"comp": 1, "raw": 2}


def test_an_edge_of_a_polygon_is_straight_on_the_display(tmp_path):
    # On logarithmic axes the diagonal from (1, 1) to (100, 100) has (10, 9) below it;
    # what is below the axis lies on it, and so on the polygon's lower border.
    body = axis("A") + axis("B") + vertices((1, 1), (100, 100), (100, 1))
    scales = scale("log", "A", offset=1, decades=3) + scale("log", "B", offset=1, decades=3)
    gated = population("below", flowjo_gate("PolygonGate", body))
    found = opened(tmp_path, sample("s", gated, scales=scales))
    fcs = fcs_of(A=[10, 10, 10], B=[9, 11, 0.001])
    assert found.apply("s", fcs)["below"].tolist() == [True, False, True]


def test_an_ellipse_lies_on_the_display(tmp_path):
    def points(part, *at):
        return f"<gating:{part}>{vertices(*at)}</gating:{part}>"

    body = (
        axis("A") + axis("B")
        + points("foci", (64, 128), (192, 128))
        + points("edge", (48, 128), (208, 128), (128, 80), (128, 176))
    )  # fmt: skip
    scales = scale("linear", "A", minRange=0, maxRange=256)
    scales += scale("biex", "B", neg=0, width=-10, pos=4.41854, maxRange=262144)
    gated = population("round", flowjo_gate("EllipsoidGate", body))
    found = opened(tmp_path, sample("s", gated, scales=scales))
    middle = FlowJoBiex(0, -10, 4.41854, 262144).table[2048]
    fcs = fcs_of(A=[128, 50, 40, 128], B=[middle, middle, middle, 1e6])
    assert found.apply("s", fcs)["round"].tolist() == [True, True, False, False]


def test_a_kind_that_is_not_evaluated_is_named_when_it_is_asked(tmp_path):
    curly = population("Q1", flowjo_gate("CurlyQuad", axis("A", low=1)), count=5)
    odd = population("odd", RECTANGLE, count=6)
    found = opened(
        tmp_path, sample("s", curly), sample("t", odd, scales=scale("miltenyi", "A", a=1))
    )
    assert found.stored_counts("s") == {"Q1": 5}
    for name, word in (("s", "CurlyQuad"), ("t", "miltenyi")):
        with pytest.raises(InstrumentFileError, match=word) as caught:
            found.apply(name, FCS)
        assert caught.value.code == "unsupported_feature"


def test_a_slash_in_a_channel_is_an_underscore_in_flowjo(tmp_path):
    gated = population("p", flowjo_gate("RectangleGate", axis("FL1_H", low=1)))
    found = opened(tmp_path, sample("s", gated))
    assert counts(found.apply("s", fcs_of(**{"FL1/H": [0, 1, 2]}))) == {"p": 2}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html></html>", "not_flowjo"),
        (b"", "not_flowjo"),
        (workspace(version="7.6.5"), "unsupported_version"),
        (workspace(version="9"), "unsupported_version"),
        (workspace(sample("s", population("p", RECTANGLE)))[:-40], "truncated"),
        (workspace(sample("s", population("p", RECTANGLE, count="x"))), "damaged"),
        (workspace(sample("s", population("p", dependents("q"), kind="OrNode"))), "damaged"),
        (workspace(sample("s", matrix=spillover(["A"], [[0]]))), "damaged"),
        (workspace(sample("s", matrix=spillover(["A"], [[1]], spectral=1))), "unsupported_feature"),
    ],
)
def test_a_workspace_that_cannot_be_used_is_refused_by_name(tmp_path, content, code):
    assert refusal(read_workspace, written(tmp_path, content)) == code


def test_the_refusal_of_an_old_workspace_names_its_version(tmp_path):
    with pytest.raises(InstrumentFileError, match=r"7\.6\.5"):
        opened(tmp_path, version="7.6.5")


def test_a_sample_that_is_not_there_is_refused():
    with pytest.raises(InstrumentFileError, match="no sample"):
        Workspace(trees={}).stored_counts("x")


def test_single_dual_and_volumetric_counts():
    single = absolute_count(400, bead_events=10000, beads_per_tube=50000, sample_ul=50, dilution=2)
    assert single.cells_per_ul == pytest.approx(80.0)
    assert single.cv == pytest.approx(np.sqrt(1 / 400 + 1 / 10000))
    volumetric = absolute_count(400, volume_nl=50000, dilution=2)
    assert (volumetric.cells_per_ul, volumetric.cv) == (16.0, 0.05)
    dual = absolute_count(400, percent_of_parent=12.5, parent_cells_per_ul=1600)
    assert (dual.cells_per_ul, dual.cv) == (200.0, 0.05)
    assert [single.method, volumetric.method, dual.method] == ["SINGLE", "VOL", "DUAL"]
    assert absolute_count(0, volume_nl=1).cv == np.inf


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"bead_events": 100, "beads_per_tube": 50000},
        {"volume_nl": 1, "percent_of_parent": 2, "parent_cells_per_ul": 3},
        {"volume_nl": 0},
        {"bead_events": 0, "beads_per_tube": 50000, "sample_ul": 50},
        {"percent_of_parent": 101, "parent_cells_per_ul": 3},
        {"volume_nl": float("nan")},
    ],
)
def test_a_count_without_its_numbers_is_refused(numbers):
    with pytest.raises(ModelDataError):
        absolute_count(5, **numbers)


def test_inspection_lists_gates_and_counts(tmp_path):
    body = LOW + gate(
        "RectangleGate", "r", dimension("A", low=0, high=1) + dimension("B", low=0, high=1)
    )
    path = written(tmp_path, gating_ml(body))
    found = inspect(path)
    assert identify(path) == found.format == "gating_ml"
    assert found.tables["gates"]["gate"].to_list() == ["low", "r"]
    assert found.picture.title == "Border of gate r"
    path = written(tmp_path, workspace(sample("s", population("Cells", RECTANGLE, count=3))))
    found = inspect(path)
    assert identify(path) == found.format == "flowjo_wsp"
    assert found.metadata["software"] == "FlowJo 10.8.1"
    assert found.tables["populations"].rows() == [("s", 3, "Cells")]
    assert found.picture.kind == "bars"
    old = inspect(written(tmp_path, workspace(version="7.6.5")))
    assert (old.format, old.flags) == ("flowjo_wsp", ("unsupported_version",))
