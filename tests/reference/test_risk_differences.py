"""Stratified risk differences against tern, ratesci, metafor and mantelhaen.test (R 4.2.2)."""

import json

import pytest

from assayhouse.stats.proportions import risk_difference_counts

from support.shared import shared

PEERS = [
    ("newcombe", "tern_strat_newcombe_cmh", 1e-10),
    ("sato", "metafor_rma_mh", 1e-10),
    ("wald", "tern_cmh", 1e-10),
    ("mn", "ratesci_MH_MN", 1e-6),
    ("mn", "tern_cmh_mn", 1e-4),
]


def cases():
    """Counts and reference entries of every stored stratification."""
    path = shared("reference", "cutpoints", "rd", "rd_stratified_reference.json")
    return json.loads(path.read_text())


def difference(case, method):
    """Our result on one case."""
    counts = [case["input"][name] for name in ("x1", "n1", "x2", "n2")]
    return risk_difference_counts(*counts, method=method)


@pytest.mark.parametrize(("method", "peer", "within"), PEERS)
def test_limits_are_those_of_a_peer(method, peer, within):
    compared = 0
    for name, case in cases().items():
        # That peer keeps a stratum without one of the arms; we leave it out.
        if peer not in case or (name == "empty_arm" and peer == "tern_cmh_mn"):
            continue
        found = difference(case, method)
        assert [found.estimate, found.lower, found.upper] == pytest.approx(case[peer], abs=within)
        compared += 1
    assert compared >= 12


def test_the_test_of_cochran_mantel_and_haenszel_is_that_of_r():
    for case in cases().values():
        if "cmh_p" in case:
            assert difference(case, "wald").p_cmh == pytest.approx(case["cmh_p"][0], abs=1e-12)


@pytest.mark.parametrize(
    ("method", "peer"), [("newcombe", "DT_score"), ("mn", "MN"), ("wald", "DT_wald")]
)
def test_without_strata_a_method_is_its_classical_form(method, peer):
    path = shared("reference", "cutpoints", "rd", "rd_unstratified_44_29.csv")
    rows = {line.split(",")[0]: line.split(",")[1:3] for line in path.read_text().splitlines()}
    found = risk_difference_counts(44, 81, 29, 83, method=method)
    limits = [float(value) / 100 for value in rows[peer]]
    assert [found.lower, found.upper] == pytest.approx(limits, abs=1e-7)
