"""What is counted while a delivery is read: rows, lines, broken rules, groups. Reads nothing."""

from collections import Counter
from dataclasses import dataclass, field, replace

from assayhouse.intake.account import LineAccount
from assayhouse.intake.disposition import Tally
from assayhouse.readers import LineCount


@dataclass(slots=True, kw_only=True)
class Counts:
    """What is counted while a file is read."""

    accepted_rows: int = 0
    accepted_lines: int = 0
    quarantined_rows: int = 0
    quarantined_lines: int = 0
    by_rule: Counter[tuple[str, str]] = field(default_factory=Counter)
    chances: Counter[tuple[str, str]] = field(default_factory=Counter)
    group_rows: Counter[str] = field(default_factory=Counter)
    group_quarantined: Counter[str] = field(default_factory=Counter)
    plausibility: dict[str, str] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.accepted_rows + self.quarantined_rows

    def account(self, lines: LineCount) -> LineAccount:
        """Account of the file's lines."""
        return LineAccount(
            physical_lines=lines.physical_lines,
            accepted_lines=self.accepted_lines,
            quarantined_lines=self.quarantined_lines,
            preamble_lines=lines.preamble,
            header_lines=lines.header,
            blank_lines=lines.blank,
            comment_lines=lines.comment,
            trailer_lines=lines.trailer,
            accepted_rows=self.accepted_rows,
            quarantined_rows=self.quarantined_rows,
        )

    def moved(self, account: LineAccount) -> LineAccount:
        """Account after accepted rows were moved to the quarantine."""
        return replace(
            account,
            accepted_rows=self.accepted_rows,
            accepted_lines=self.accepted_lines,
            quarantined_rows=self.quarantined_rows,
            quarantined_lines=self.quarantined_lines,
        )

    def tally(self) -> Tally:
        """Shares for the stop rule."""
        groups = {
            name: (rows, self.group_quarantined[name]) for name, rows in self.group_rows.items()
        }
        return Tally(rows=self.rows, quarantined=self.quarantined_rows, groups=groups)
