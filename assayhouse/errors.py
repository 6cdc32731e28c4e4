"""Every exception that assayhouse raises on purpose. Messages never hold a subject's value."""


class AssayhouseError(Exception):
    """Base of all errors raised on purpose: what is wrong, where, and what to do.

    ``details`` are further sentences, each a line of its own below the message.
    """

    details: tuple[str, ...] = ()


class DeclarationError(AssayhouseError):
    """A declaration (schemas/, expectations/, sql/ or study.yaml) cannot be used as written."""


class DeliveryRejectedError(AssayhouseError):
    """A delivered file is unreadable or against its contract: nothing of it enters.

    Parameters
    ----------
    reason : str
        What is wrong and what to do, without any value of a subject.
    rule : str
        Identifier of the broken rule, for example ``F01``.
    file : str
        Name of the delivered file.
    line : int or None
        Physical line, counted from 1, where the fault shows.
    column : str or None
        Declared name of the column, where one is to blame.
    """

    def __init__(
        self,
        reason: str,
        *,
        rule: str,
        file: str,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        where = file if line is None else f"{file} line {line}"
        if column is not None:
            where = f"{where} column {column}"
        super().__init__(f"{where}: {reason} (rule {rule}). Nothing of this file was published.")
        self.reason = reason
        self.rule = rule
        self.file = file
        self.line = line
        self.column = column


class DeliveryStateError(AssayhouseError):
    """A person asked for a change of state that the delivery's present state does not allow."""


class HomeError(AssayhouseError):
    """The home folder is missing, locked by another process, or not what its records say."""


class WarehouseError(AssayhouseError):
    """A table cannot be written, read or pinned as asked."""


class QueryError(AssayhouseError):
    """A question put to the warehouse cannot be answered as written."""


class BlindingError(AssayhouseError):
    """Something sealed would have reached the open side."""


class InstrumentFileError(AssayhouseError):
    """An instrument or clinical file that cannot be read as what it claims to be.

    Parameters
    ----------
    message : str
        What is wrong and what to do, without any value of a subject.
    code : str
        Name of the fault in snake_case, for a caller to decide by.
    offset : int or None
        Byte or line where the fault shows, where there is one.
    """

    def __init__(self, message: str, *, code: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.offset = offset


class ModelDataError(AssayhouseError):
    """Data given to a statistical method are not what the method can use.

    Parameters
    ----------
    message : str
        What is wrong and what to do.
    rows : tuple of int
        Row numbers concerned, counted from 0, where rows are to blame.
    """

    def __init__(self, message: str, *, rows: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.rows = rows


class TableRowsError(ModelDataError):
    """Rows of the table that was given are to blame, not those of an array made of it.

    Parameters
    ----------
    reason : str
        What is wrong and what to do, without the rows: a caller may know them by other numbers.
    rows : tuple of int
        Row numbers concerned, counted from 0.
    """

    def __init__(self, reason: str, *, rows: tuple[int, ...]) -> None:
        shown = ", ".join(str(row) for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
        message = f"{reason} Rows concerned, counted from 0: {shown}. Nothing was fitted."
        super().__init__(message, rows=rows)
        self.reason = reason


class OwnTableError(ModelDataError):
    """A table of the user's own is not one that a command can use.

    Parameters
    ----------
    message : str
        File, reason and remedy.
    rows : tuple of int
        Row numbers concerned, counted from 0, where rows are to blame.
    details : tuple of str
        One sentence per fault where there are several.
    """

    def __init__(
        self, message: str, *, rows: tuple[int, ...] = (), details: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, rows=rows)
        self.details = details
