"""A delivery counts once, by its last state; rows count only where they were published."""

import polars as pl
import pytest

from assayhouse.report.deliveries import OUTCOMES, account_words, list_deliveries
from assayhouse.report.errors import ReportInputError

from support import report_intake as intake


def listed(receipts=None, states=None, accounts=None):
    return list_deliveries(
        intake.receipts() if receipts is None else receipts,
        intake.states() if states is None else states,
        intake.line_accounts() if accounts is None else accounts,
    )


def delivery(receipt, **frames):
    return listed(**frames).row(by_predicate=pl.col("receipt") == receipt, named=True)


def with_last_state(receipt, state):
    step = {"seq": 99, "receipt": receipt, "state": state, "why": "", "at": "", "who": ""}
    return pl.concat([intake.states(), pl.DataFrame([step])], how="diagonal_relaxed")


def test_the_last_state_by_sequence_wins_whatever_the_row_order():
    states = intake.states().sample(fraction=1.0, shuffle=True, seed=2)
    assert listed(states=states).equals(listed())
    assert delivery(2)["state"] == "PUBLISHED"


def test_every_state_of_the_machine_has_exactly_one_outcome():
    machine = ["RECEIVED", "REJECTED", "HELD", "APPROVED", "REFUSED", "DUPLICATE", "PUBLISHED",
               "SUPERSEDED"]  # fmt: skip
    assert sorted(state for group in OUTCOMES.values() for state in group) == sorted(machine)


@pytest.mark.parametrize(
    ("state", "outcome", "accepted", "quarantined"),
    [
        ("PUBLISHED", "accepted", 6900, 12),
        ("SUPERSEDED", "accepted", 6900, 12),
        ("HELD", "held", None, 12),
        ("APPROVED", "unfinished", None, 12),
        ("REFUSED", "refused", None, 12),
        ("REJECTED", "rejected", None, None),
        ("DUPLICATE", "duplicate", None, None),
    ],
)
def test_rows_count_by_state(state, outcome, accepted, quarantined):
    found = delivery(3, states=with_last_state(3, state))
    assert (found["outcome"], found["accepted_rows"], found["quarantined_rows"]) == (
        outcome,
        accepted,
        quarantined,
    )


def test_a_receipt_without_a_state_is_unfinished():
    states = intake.states().filter(pl.col("receipt") != 1)
    assert (delivery(1, states=states)["state"], delivery(1, states=states)["outcome"]) == (
        "RECEIVED",
        "unfinished",
    )


def test_a_file_that_was_not_counted_has_no_account():
    accounts = intake.line_accounts().filter(pl.col("receipt") != 4)
    found = delivery(4, accounts=accounts)
    assert (found["physical_lines"], found["balanced"]) == (None, None)
    assert account_words(balanced=found["balanced"]) == "no account"


def test_one_unbalanced_layout_unbalances_the_delivery():
    doubled = pl.concat(
        [intake.line_accounts(), intake.line_accounts().with_columns(balanced=pl.lit(value=False))]
    )
    assert delivery(1, accounts=doubled)["balanced"] is False
    assert delivery(1, accounts=doubled)["accepted_rows"] == 2 * 8064
    assert account_words(balanced=False) == "NOT BALANCED"


def test_empty_relations_give_an_empty_list():
    empty = listed(
        receipts=intake.receipts().clear(),
        states=intake.states().clear(),
        accounts=intake.line_accounts().clear(),
    )
    assert empty.is_empty()


def test_a_missing_column_is_refused_by_name():
    with pytest.raises(ReportInputError, match=r"intake\.states lacks the column\(s\) seq"):
        listed(states=intake.states().drop("seq"))
