"""Intake relations for the report's tests: one night with every outcome a delivery can have."""

import polars as pl

SUBJECT_LINE = "DEMO-01-0042;WEEK 4;9.99 ng/mL"
FILES = (
    # receipt, vendor, layout, file, transfer, states, accepted, quarantined, balanced
    (1, "flow", "flow.results", "flow_0004.csv", 4, ("PUBLISHED",), 8064, 0, True),
    (2, "epiontis", "epiontis.results", "epi_0004.csv", 4, ("HELD", "PUBLISHED"), 3456, 0, True),
    (3, "singulex", "singulex.results", "sgx_0004.csv", 4, ("PUBLISHED",), 6900, 12, True),
    (4, "dxterity", "dxterity.results", "dxt_0004.csv", 4, ("REJECTED",), 5200, 3, False),
    (5, "singulex", "singulex.plates", "sgx_plates_0004.csv", 4, ("HELD",), 72, 1, True),
    (6, "singulex", "singulex.results", "sgx_0004_again.csv", 4, ("DUPLICATE",), 6900, 12, True),
)  # fmt: skip
WHY = {
    "REJECTED": "F05: line 5213 ends in the middle of a record",
    "HELD": "4 records of transfer 3 are gone; approve or refuse",
    "DUPLICATE": "duplicate of receipt 3, ignored",
}


def receipts() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "receipt": receipt, "vendor": vendor, "layout": layout, "file_name": name,
                "sha256": f"{receipt:064x}", "bytes": 1000 * receipt, "transfer_no": transfer,
                "side": "open", "received_at": "2019-03-02T02:00:00",
            }
            for receipt, vendor, layout, name, transfer, *_ in FILES
        ]
    )  # fmt: skip


def states() -> pl.DataFrame:
    steps = [
        (receipt, state)
        for receipt, *_, history, _accepted, _quarantined, _balanced in FILES
        for state in ("RECEIVED", *history)
    ]
    return pl.DataFrame(
        [
            {
                "seq": seq, "receipt": receipt, "state": state, "why": WHY.get(state, ""),
                "at": "2019-03-02T02:00:01", "who": "night",
            }
            for seq, (receipt, state) in enumerate(steps, start=1)
        ]
    )  # fmt: skip


def line_accounts() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "receipt": receipt, "layout": layout, "physical_lines": accepted + quarantined + 5,
                "accepted_lines": accepted, "quarantined_lines": quarantined, "preamble_lines": 3,
                "header_lines": 1, "blank_lines": 0, "comment_lines": 0, "trailer_lines": 1,
                "accepted_rows": accepted, "quarantined_rows": quarantined, "balanced": balanced,
            }
            for receipt, _, layout, *_, accepted, quarantined, balanced in FILES
        ]
    )  # fmt: skip


def quarantine() -> pl.DataFrame:
    lines = [(3, "singulex.results", line, "R07-unit") for line in range(101, 113)]
    lines += [(5, "singulex.plates", 9, "R03-range"), (3, "singulex.results", 101, "R03-range")]
    return pl.DataFrame(
        [
            {
                "receipt": receipt, "layout": layout, "file_name": "sgx_0004.csv", "sha256": "0",
                "source_line": line, "column": "Unit", "rule": rule, "disposition": "Q",
                "reason": "unit is not pg/mL", "expected": "pg/mL", "raw_text": SUBJECT_LINE,
            }
            for receipt, layout, line, rule in lines
        ]
    )  # fmt: skip


def deltas() -> pl.DataFrame:
    counts = {"SAME": 5950, "NEW": 18, "CHANGED": 9, "COSMETIC": 3, "VANISHED": 4}
    return pl.DataFrame(
        {
            "receipt": [3] * 5,
            "layout": ["singulex.results"] * 5,
            "delta_class": list(counts),
            "n_records": list(counts.values()),
        }
    )


def findings() -> pl.DataFrame:
    rows = [
        {
            "finding_id": f"SGX-2019-{number:04d}",
            "receipt": 3,
            "vendor": "singulex",
            "layout": "singulex.results",
            "disposition": "Q",
            "rule": "R07-unit",
            "column": "Unit",
            "source_line": 100 + number,
            "n_rows": 1,
            "message": "unit differs from the declared pg/mL",
        }
        for number in range(1, 13)
    ]
    rows.append(
        {
            "finding_id": "DXT-2019-0001",
            "receipt": 4,
            "vendor": "dxterity",
            "layout": "dxterity.results",
            "disposition": "R",
            "rule": "F05",
            "column": None,
            "source_line": 5213,
            "n_rows": None,
            "message": "the record ends before its last column",
        }
    )
    return pl.DataFrame(rows, infer_schema_length=None)


def expected() -> pl.DataFrame:
    pairs = [(vendor, layout) for _, vendor, layout, *_ in FILES[:5]]
    pairs += [("covance", "covance.lb"), ("pk", "pk.results"), ("edc", "edc.dm")]
    due = ["2019-03-01"] * 5 + ["2019-03-01", "2019-04-01", None]
    return pl.DataFrame(
        {
            "vendor": [vendor for vendor, _ in pairs],
            "layout": [layout for _, layout in pairs],
            "due": due,
        }
    )
