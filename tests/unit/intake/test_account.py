"""The account of lines: every physical line is a row or something declared."""

from dataclasses import replace

from assayhouse.intake.account import LineAccount, check_balance

ACCOUNT = LineAccount(
    physical_lines=6917,
    accepted_lines=6901,
    quarantined_lines=12,
    preamble_lines=2,
    header_lines=1,
    trailer_lines=1,
    accepted_rows=6900,
    quarantined_rows=12,
)


def test_an_account_that_adds_up_is_printed_as_a_sum():
    assert ACCOUNT.balanced
    assert check_balance(ACCOUNT) == []
    assert str(ACCOUNT) == (
        "6901 accepted + 12 quarantined + 2 preamble + 1 header + 1 trailer = 6917 lines"
    )


def test_a_line_that_nobody_accounts_for_rejects_the_file():
    short = replace(ACCOUNT, physical_lines=6918)
    (fault,) = check_balance(short)
    assert fault.disposition == "R"
    assert "differs from 6918 lines" in fault.message


def test_rows_are_counted_apart_from_the_lines_they_span():
    assert ACCOUNT.rows == 6912


def test_an_account_read_back_is_the_one_written():
    assert LineAccount.from_dict(ACCOUNT.to_dict()) == ACCOUNT
