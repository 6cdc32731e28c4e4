"""Rules of columns that hold symbols of a declared list, such as genes.

They find what spreadsheets and citation numbers do to symbols; the nearest is never applied.
"""

import difflib
from collections.abc import Iterable, Mapping

import polars as pl

from assayhouse.contracts.vendor_file import ColumnSpec
from assayhouse.intake.row_faults import Rule

_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
_DATE_LIKE = (
    rf"(?i)^(?:[0-9]{{1,2}}[-/. ](?:{_MONTH})[a-z]*|(?:{_MONTH})[a-z]*[-/. ][0-9]{{1,4}}"
    rf"|[0-9]{{1,4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,4}})$"
)


def nearest_symbol(text: str, symbols: Iterable[str]) -> str | None:
    """Symbol that a text was probably meant to be; None where none is near.

    A symbol followed by figures comes first: a citation number fused to it.

    Examples
    --------
    >>> nearest_symbol("RSAD218", ["RSAD2", "MX1"])
    'RSAD2'
    >>> nearest_symbol("ifi-27", ["IFI27", "IFI44"])
    'IFI27'
    """
    known = sorted(symbols)
    fused = [name for name in known if text.startswith(name) and text[len(name) :].isdigit()]
    if fused:
        return max(fused, key=len)
    folded = {name.upper(): name for name in known}
    near = difflib.get_close_matches(text.upper(), list(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def symbol_rules(
    column: ColumnSpec, text: pl.Expr, term: pl.Expr, listed: Mapping[str, str]
) -> list[Rule]:
    """F16: a symbol turned into a date rejects the file. F17: any other stranger keeps its row out.

    Parameters
    ----------
    column : ColumnSpec
        The column that holds symbols.
    text, term : Expr
        Its trimmed text, and the listed symbol that it is (null where it is none).
    listed : mapping
        Spelling to symbol.
    """
    stranger = text.is_not_null() & term.is_null()
    dated = stranger & text.str.contains(_DATE_LIKE)
    hint = pl.col(column.name).map_batches(
        lambda texts: _hints(texts, listed), return_dtype=pl.String
    )
    expected = f"a symbol of the list {column.terms}"
    return [
        Rule(column=column.name, rule="F16", broken=dated, disposition="R", expected=expected),
        Rule(column=column.name, rule="F17", broken=stranger & ~dated, expected=hint),
    ]


def _hints(texts: pl.Series, listed: Mapping[str, str]) -> pl.Series:
    hints = {text: nearest_symbol(str(text).strip(), listed) for text in texts.unique().to_list()}
    told = [hints[text] for text in texts.to_list()]
    return pl.Series(
        [f"a listed symbol; the nearest is {name}" if name else "a listed symbol" for name in told],
        dtype=pl.String,
    )
