"""Module scores: mean of log2 expressions over the module's genes; incomplete ones have none."""

import math

import polars as pl
import pytest

from assayhouse.derive.gene_modules import (
    collapse_probes,
    derive_expression,
    derive_module_scores,
)

MODULES = pl.DataFrame({"module": ["M", "M", "N"], "gene": ["A", "B", "A"]})


def signals(censored=(), **values):
    return pl.DataFrame(
        {
            "USUBJID": "s",
            "REFID": "x",
            "gene": list(values),
            "signal": [float(v) for v in values.values()],
            "censored": [name in censored for name in values],
        }
    )


def test_expression_is_relative_to_the_geometric_mean_of_the_references():
    found = derive_expression(signals(R=1, Q=4, A=8, B=2), references=("R", "Q"))
    assert dict(zip(found["gene"], found["log2_expression"], strict=True)) == {"A": 2.0, "B": 0.0}


def test_a_specimen_without_a_reference_has_no_expression():
    assert derive_expression(signals(R=1, A=8), references=("R", "Q")).is_empty()


def test_a_score_is_the_mean_on_log2_and_its_power_on_the_ratio_scale():
    found = derive_module_scores(
        derive_expression(signals(R=1, A=8, B=2), references=("R",)), MODULES
    )
    scores = {row["module"]: row for row in found.iter_rows(named=True)}
    assert scores["M"]["score_log2"] == pytest.approx(2.0)
    assert scores["M"]["score_ratio"] == pytest.approx(4.0)
    assert scores["N"]["score_ratio"] == pytest.approx(math.pow(2.0, 3.0))


def test_a_missing_gene_leaves_the_module_without_a_score_and_says_why():
    found = derive_module_scores(derive_expression(signals(R=1, A=8), references=("R",)), MODULES)
    rows = {row["module"]: row for row in found.iter_rows(named=True)}
    assert rows["M"]["score_log2"] is None
    assert rows["M"]["reasons"] == "a gene of the module is missing"
    assert rows["N"]["score_log2"] == pytest.approx(3.0)


def test_genes_below_detection_count_up_to_the_limit():
    expression = derive_expression(signals({"B"}, R=1, A=8, B=2), references=("R",))
    assert derive_module_scores(expression, MODULES)["score_log2"][0] == pytest.approx(2.0)
    strict = derive_module_scores(expression, MODULES, max_censored_pct=40.0)
    assert strict["reasons"][0] == "too many genes below detection"


def test_the_order_of_rows_changes_nothing():
    rows = signals(R=3, Q=5, A=8, B=2)
    one = derive_expression(rows, references=("R", "Q"))
    two = derive_expression(rows.reverse(), references=("Q", "R"))
    assert one.equals(two)


def probes(*rows):
    columns = ["USUBJID", "REFID", "gene", "log2_expression", "censored"]
    return pl.DataFrame([("s", "x", *row) for row in rows], schema=columns, orient="row")


def test_a_gene_with_two_probes_weighs_no_more_than_one_with_a_single():
    doubled = probes(("A", 1.0, False), ("A", 3.0, True), ("B", 8.0, False))
    scores = derive_module_scores(doubled, MODULES, max_censored_pct=100.0)
    assert scores["score_log2"].to_list() == [5.0, 2.0]
    assert scores["n_genes"].to_list() == [2, 1]
    assert scores["n_genes_censored"].to_list() == [1, 1]


def test_a_probe_without_a_value_takes_no_part():
    found = collapse_probes(probes(("A", None, True), ("A", 3.0, False), ("B", None, False)))
    assert found["log2_expression"].to_list() == [3.0, None]
    assert found["censored"].to_list() == [False, False]
