"""Every exception that assayhouse raises on purpose. Messages never hold a subject's value."""


class AssayhouseError(Exception):
    """Base of all errors raised on purpose: what is wrong, where, and what to do."""


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
