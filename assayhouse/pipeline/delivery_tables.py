"""The intake relations as a pure function of the register and the records of the deliveries.

Publishing them again without news makes no version; so a killed run is completed by the next one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.intake.receipt import HELD, REFUSED, VISIBLE, Receipt, Register
from assayhouse.pipeline.delivery_record import (
    DELTA_RECORDS,
    QUARANTINE,
    Judgement,
    folder,
    read_judgement,
)
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

_SPLIT = {QUARANTINE: "intake.quarantine", DELTA_RECORDS: "intake.delta_records"}
_STATUS = {HELD: "pending", REFUSED: "refused"} | dict.fromkeys(VISIBLE, "accepted")
Rows = list[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One receipt with its record, where it has one."""

    receipt: Receipt
    state: str
    judgement: Judgement | None


def publish_intake(home: Home, declarations: Declarations, register: Register) -> None:
    """Publish every intake relation as the register and the records tell it."""
    lake = Lake(home, declarations)
    judged = _judged(home, register)
    for name in _SPLIT:
        _publish_split(home, lake, judged, name)
    rows: dict[str, Callable[[], Rows]] = {
        "intake.receipts": lambda: [_receipt_row(item) for item in register.receipts()],
        "intake.line_accounts": lambda: list(_account_rows(judged)),
        "intake.findings": lambda: list(_finding_rows(judged)),
        "intake.deltas": lambda: list(_delta_rows(judged)),
        "intake.states": lambda: [
            {name: getattr(row, name) for name in row.__slots__} for row in register.states()
        ],
    }
    for relation, make in rows.items():
        lake.publish(relation, _frame(make(), lake.spec(relation)))


def publish_kept_out(home: Home, declarations: Declarations, register: Register) -> None:
    """Publish the quarantine alone, before the rows of a delivery are published."""
    _publish_split(home, Lake(home, declarations), _judged(home, register), QUARANTINE)


def _judged(home: Home, register: Register) -> list[Judged]:
    return [
        Judged(
            receipt=item,
            state=register.state(item.number),
            judgement=read_judgement(home, item),
        )
        for item in register.receipts()
    ]


def _publish_split(home: Home, lake: Lake, judged: Iterable[Judged], name: str) -> None:
    """Publish a relation of which each side holds the rows of its own deliveries."""
    relation = _SPLIT[name]
    spec = lake.spec(relation)
    for side in ("open", "sealed"):
        frames = [spec.empty()]
        for item in judged:
            path = folder(home, item.receipt) / name
            if item.receipt.side == side and item.judgement is not None and path.is_file():
                frames.append(spec.conform(_with_status(pl.read_parquet(path), item.state)))
        lake.publish(relation, pl.concat(frames), side=side)


def _with_status(frame: pl.DataFrame, state: str) -> pl.DataFrame:
    """Say what became of the records that a delivery changed or dropped."""
    if "delta_class" not in frame.columns:
        return frame
    status = _STATUS.get(state, "pending")
    vanished = "vanished_pending" if status == "pending" else status
    return frame.with_columns(
        pl.when(pl.col("delta_class") == "VANISHED")
        .then(pl.lit(vanished))
        .otherwise(pl.lit(status))
        .alias("status")
    )


def _frame(rows: Rows, spec: TableSpec) -> pl.DataFrame:
    columns = {name: [row[name] for row in rows] for name in spec.columns}
    return pl.DataFrame(columns, schema=spec.polars_schema)


def _receipt_row(receipt: Receipt) -> Mapping[str, object]:
    return {
        "receipt": receipt.number,
        "vendor": receipt.vendor,
        "layout": receipt.layout,
        "file_name": receipt.file_name,
        "sha256": receipt.sha256,
        "bytes": receipt.bytes,
        "transfer_no": receipt.transfer_no,
        "side": receipt.side,
        "received_at": receipt.received_at,
    }


def _account_rows(judged: Iterable[Judged]) -> Iterable[Mapping[str, object]]:
    for item in judged:
        if item.judgement is not None and item.judgement.account is not None:
            account = item.judgement.account
            yield {
                "receipt": item.receipt.number,
                "layout": item.receipt.layout,
                **account.to_dict(),
                "balanced": account.balanced,
            }


def _finding_rows(judged: Iterable[Judged]) -> Iterable[Mapping[str, object]]:
    for item in judged:
        if item.judgement is not None:
            yield from (finding.to_dict() for finding in item.judgement.findings)


def _delta_rows(judged: Iterable[Judged]) -> Iterable[Mapping[str, object]]:
    for item in judged:
        if item.judgement is not None and item.judgement.delta is not None:
            for name, count in item.judgement.delta.by_class().items():
                yield {
                    "receipt": item.receipt.number,
                    "layout": item.receipt.layout,
                    "delta_class": name,
                    "n_records": count,
                }
