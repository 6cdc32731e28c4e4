"""The shipped study from its first landing to its last night: five transfers with planted faults.

Everything is as shipped but the numbers of resamples and imputations. Intake takes each transfer
on its own day; relations are built on the last. The truth is what the simulation planted.
"""

import shutil
from dataclasses import dataclass

import polars as pl
import pytest
import yaml

from assayhouse import paths
from assayhouse.contracts import declarations
from assayhouse.pipeline import delivery
from assayhouse.pipeline.night import run_night
from assayhouse.pipeline.relations import build_relation
from assayhouse.simulate.record import write_transfer
from assayhouse.simulate.study import simulate_study
from assayhouse.simulate.vendor_layouts import LAYOUT_NAMES
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

from support.simulated import paths_of

WHO = "night"
STATE = {"R": "REJECTED", "H": "HELD", "ignore": "DUPLICATE"}
SWAPPED = "covance_flow.results"
NOT_REPORTED = ("not_recomputable", "NO NUMBER REPORTED")

pytestmark = pytest.mark.slow


def few_resamples(folder):
    """The shipped study with few imputations and bootstrap samples."""
    text = (paths.shipped_root() / "schemas" / "study.yaml").read_text(encoding="utf-8")
    study = yaml.safe_load(text)
    study["analyses"]["effects"]["impute"] |= {"m": 2, "sweeps": 1}
    study["analyses"]["cut_points"]["chunks"] = 2
    study["analyses"]["cut_points"]["options"] |= {"n_boot": 20, "n_null": 19}
    folder.mkdir()
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    return declarations.load(folder)


@dataclass(frozen=True)
class Whole:
    """The study as it stands after its last night."""

    home: Home
    declared: object
    simulated: object
    outcomes: dict
    swapped: pl.DataFrame
    result: object

    def table(self, relation):
        """Every row of a relation, on whatever sides it stands."""
        lake = Lake(self.home, self.declared)
        return pl.concat(lake.scan(relation, side=side).collect() for side in lake.sides(relation))

    def planted(self, *dispositions):
        """Planted faults with these dispositions."""
        return [item for item in self.simulated.faults if item.disposition in dispositions]


def reconciled_if_approved(home, declared, folder):
    """recon.status of a copy in which the held delivery of flow results was let in."""
    shutil.copytree(home.root, folder)
    copy = Home(folder)
    held = [item for item in delivery.receipts(copy) if item.layout == SWAPPED][-1]
    given = {"at": held.received_at, "who": "anna", "reason": "to see what reconciliation says"}
    assert delivery.approve(copy, declared, held.number, **given).state == "PUBLISHED"
    for relation in ("ref.layouts", "ref.study", "sdtm.be", "recon.status"):
        build_relation(copy, declared, relation)
    return Lake(copy, declared).scan("recon.status").collect()


def take_in(home, declared, transfer):
    """Carry everything of a transfer to its outcome, on its day."""
    at = f"{transfer.date}T02:00:00+00:00"
    known = len(delivery.receipts(home))
    write_transfer(transfer, home.landing)
    delivery.scan(home, declared, at=at, who=WHO)
    for receipt in delivery.pending(home, declared):
        delivery.ingest(home, declared, receipt.number, at=at, who=WHO)
    arrived = delivery.receipts(home)[known:]
    return [delivery.outcome(home, declared, receipt.number) for receipt in arrived]


def settle_held(home, declared, *, at):
    """Let in what is held, but not what a later delivery has put right."""
    held = [r for r in delivery.receipts(home) if state_of(home, declared, r) == "HELD"]
    for receipt in held:
        decide = delivery.refuse if receipt.layout == SWAPPED else delivery.approve
        decide(home, declared, receipt.number, reason="asked the vendor", at=at, who="anna")


def state_of(home, declared, receipt):
    return delivery.outcome(home, declared, receipt.number).state


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    declared, simulated = few_resamples(folder / "study"), simulate_study()
    home, outcomes, swapped = Home(folder / "home").create(), {}, None
    for transfer in simulated.transfers:
        if transfer is simulated.transfers[-1]:
            swapped = reconciled_if_approved(home, declared, folder / "swapped")
        for done in take_in(home, declared, transfer):
            outcomes[transfer.label, done.layout] = done
    at = f"{simulated.transfers[-1].date}T09:00:00+00:00"
    settle_held(home, declared, at=at)
    return Whole(
        home=home,
        declared=declared,
        simulated=simulated,
        outcomes=outcomes,
        swapped=swapped,
        result=run_night(home, declared, at=at, who=WHO),
    )


def bytes_sent_before(simulated):
    """Transfer and layout of every file whose bytes an earlier one of the layout had."""
    seen, found = set(), set()
    for transfer in simulated.transfers:
        for layout in LAYOUT_NAMES:
            for path in paths_of(transfer, layout):
                if (layout, transfer.files[path]) in seen:
                    found.add((transfer.label, layout))
                seen.add((layout, transfer.files[path]))
    return found


def test_every_delivery_ends_in_the_state_that_its_faults_call_for(whole):
    expected = dict.fromkeys(whole.outcomes, "PUBLISHED")
    expected |= dict.fromkeys(bytes_sent_before(whole.simulated), "DUPLICATE")
    for fault in whole.planted(*STATE):
        expected[fault.transfer, fault.layout] = STATE[fault.disposition]
    assert {key: done.state for key, done in whole.outcomes.items()} == expected
    assert len(delivery.receipts(whole.home)) == sum(
        not path.endswith(".manifest.json")
        for transfer in whole.simulated.transfers
        for path in transfer.files
    )


def test_exactly_the_planted_rows_are_quarantined(whole):
    planted = {(item.file, line) for item in whole.planted("Q") for line in item.lines}
    kept = whole.table("intake.quarantine").select("file_name", "source_line")
    assert set(kept.rows()) == planted
    assert len(planted) > 50


def test_every_line_of_every_file_is_accounted_for(whole):
    accounts = whole.table("intake.line_accounts")
    assert accounts["balanced"].all()
    every = [
        delivery.outcome(whole.home, whole.declared, receipt.number)
        for receipt in delivery.receipts(whole.home)
    ]
    assert accounts.height == sum(done.account is not None for done in every)


def test_every_relation_is_built_and_none_is_empty(whole):
    lake = Lake(whole.home, whole.declared)
    rows = {name: sum(head.rows for head in lake.heads(name)) for name in whole.declared.tables}
    assert [name for name, count in rows.items() if not count] == []
    assert whole.result.published.is_new


def keys_of(whole, fault):
    """Record keys that a fault of the last transfer concerns."""
    last = whole.simulated.transfers[-1].label
    (found,) = [i for i in whole.simulated.faults if (i.fault, i.transfer) == (fault, last)]
    return set(found.keys)


def test_specimens_requested_and_delivered_are_reconciled(whole):
    status = whole.table("recon.status")
    counts = dict(status.group_by("recon_class").len().iter_rows())
    overdue = status.filter(pl.col("overdue_fl") == "Y")
    unexpected = status.filter(pl.col("recon_class") == "UNEXPECTED")
    assert (unexpected.height, overdue.height) == (3, 5)
    assert set(unexpected["SPECREF"]) == keys_of(whole, "UNREQUESTED")
    assert set(overdue["SPECREF"]) == keys_of(whole, "ABSENT")
    assert set(overdue["recon_class"]) == {"EXPECTED-MISSING"}
    assert counts["MATCHED"] > 0.9 * status.height
    assert "MISMATCH" not in counts  # the last transfer puts the exchange right


def test_two_subjects_exchanged_at_a_visit_point_at_each_other(whole):
    crossed = whole.swapped.filter(pl.col("recon_class") == "MISMATCH").sort("SPECREF")
    assert crossed.height == 2
    assert crossed["crossed_with"].to_list() == crossed["SPECREF"].to_list()[::-1]
    assert crossed["delivered_usubjid"].to_list() == crossed["requested_usubjid"].to_list()[::-1]
    assert set(crossed["vendor"]) == {SWAPPED.split(".", maxsplit=1)[0]}


def test_reported_values_agree_with_their_own_parts(whole):
    told = whole.table("recon.recomputed").filter(pl.col("basis") == "parts")
    vendors = {layout.vendor for layout, _ in whole.declared.mappings("recomputation")}
    agree = told.filter(pl.col("verdict") == "agree")
    assert set(agree["vendor"]) == vendors
    assert agree.height > 0.99 * told.height
    others = told.filter(pl.col("verdict") != "agree")
    assert set(others.select("verdict", "reason").rows()) == {NOT_REPORTED}


def test_errors_of_laboratories_that_instrument_files_give_away_are_named(whole):
    planted = {
        (item.refid, item.testcd): item.error or None for item in whole.simulated.instrument_values
    }
    told = whole.table("recon.recomputed").filter(pl.col("basis") == "instrument")
    named = {row[:2]: row[2] for row in told.select("REFID", "TESTCD", "suspicion").rows()}
    assert {key: planted[key] for key in named} == named
    assert len(named) > 0.9 * len(planted)
    assert set(named.values()) == set(planted.values())


def test_the_record_of_all_nights_is_unbroken(whole):
    assert AuditLog(whole.home.audit_file).verify().intact
