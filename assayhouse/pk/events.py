"""Event tables: doses and samples of all subjects in one frame, checked, with their units.

Holds the table and how it is made from a frame in this form. SDTM-shaped tables are brought into
this form by `sdtm`; single rules are in `event_rules`, columns and types in `event_columns`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from assayhouse.pk.errors import EventTableError, SpecError
from assayhouse.pk.event_columns import (
    EVENT_COLUMNS,
    column_issues,
    infusion_rows,
    integer_codes,
    typed_columns,
)
from assayhouse.pk.event_rules import broken, row_issues
from assayhouse.pk.event_subjects import (
    IS_DOSE,
    IS_SAMPLE,
    count_reasons,
    fill_gaps,
    find_exclusions,
    warn,
    without_early_samples,
)
from assayhouse.pk.notes import Issue
from assayhouse.pk.sdtm import BuiltEvents, events_from_sdtm
from assayhouse.pk.units import amount_per_litre, require_units

__all__ = [
    "EVENT_COLUMNS",
    "EventTable",
    "EventTableError",
    "Issue",
    "build_events",
    "dosing_from_events",
]

_GAPS = ["", ".", "NA"]
_RULES = ("quantifiable", "observed")


@dataclass(frozen=True)
class EventTable:
    """Checked doses and samples of the subjects that can be analysed.

    Parameters
    ----------
    frame : polars.DataFrame
        `EVENT_COLUMNS` and the covariates, in the order of the input.
    amt_unit, dv_unit, time_unit : str
        Units of AMT, of DV and LLOQ, and of TIME and II.
    covariates : tuple of str
        Columns that are constant within a subject.
    excluded : polars.DataFrame
        ID and REASON of the subjects that are not in ``frame``.
    issues : tuple of Issue
        What was put right or left out, as warnings.
    excluded_by_dose : mapping of float to int
        How many subjects were left out whose first dose was this.
    """

    frame: pl.DataFrame
    amt_unit: str
    dv_unit: str
    time_unit: str
    covariates: tuple[str, ...]
    excluded: pl.DataFrame
    issues: tuple[Issue, ...]
    excluded_by_dose: Mapping[float, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_subjects(self) -> int:
        """Subjects in the frame."""
        return self.frame["ID"].n_unique()

    @property
    def n_obs(self) -> int:
        """Samples that count (MDV = 0), those below the limit among them."""
        return self.frame.filter(IS_SAMPLE).height

    @property
    def n_blq(self) -> int:
        """Samples below the limit of quantification."""
        return self.frame.filter(IS_SAMPLE & (pl.col("BLQ") == 1)).height

    @property
    def scale(self) -> float:
        """Amount per litre in the unit of the concentrations."""
        return amount_per_litre(self.amt_unit, self.dv_unit)

    @property
    def ids(self) -> tuple[str, ...]:
        """Subjects, in the order of the frame."""
        return tuple(self.frame["ID"].unique(maintain_order=True).to_list())

    @property
    def content_hash(self) -> str:
        """SHA-256 over the frame and the units."""
        digest = hashlib.sha256(f"{self.amt_unit}\x1f{self.dv_unit}\x1f{self.time_unit}".encode())
        for name in self.frame.columns:
            values = self.frame[name]
            digest.update(f"\x1e{name}\x1f{values.dtype}\x1f".encode())
            digest.update("\x1f".join(map(repr, values.to_list())).encode())
        return digest.hexdigest()

    @classmethod
    def from_frame(
        cls,
        frame: pl.DataFrame,
        *,
        amt_unit: str,
        dv_unit: str,
        time_unit: str = "h",
        covariates: Sequence[str] = (),
        subject_rule: Literal["quantifiable", "observed"] = "quantifiable",
        missing_covariates: Literal["error", "impute"] = "error",
    ) -> "EventTable":
        """Check a frame in the form of an event table; all problems are reported at once.

        Parameters
        ----------
        frame : polars.DataFrame
            One row per dose or sample; the rows of a subject together, in the order of time.
        amt_unit, dv_unit, time_unit : str
            Units; a factor is never guessed.
        covariates : sequence of str
            Columns that are carried along, constant within a subject.
        subject_rule : {"quantifiable", "observed"}
            Whether a subject needs a quantifiable sample or any sample.
        missing_covariates : {"error", "impute"}
            Whether gaps are refused, or filled with the median or the most frequent level.

        Returns
        -------
        EventTable
            With what was left out or put right in ``issues`` and ``excluded``.

        Raises
        ------
        UnitError
            A unit is unknown, missing, or stands on one side only.
        EventTableError
            Anything else, with codes and rows.

        References
        ----------
        .. [1] Beal SL, Sheiner LB et al. (2009), NONMEM User's Guide, part V (data records).

        Examples
        --------
        >>> rows = {"ID": [1, 1], "TIME": [0.0, 2.0], "EVID": [1, 0], "AMT": [10.0, 0.0],
        ...         "DV": [None, 3.5]}
        >>> table = EventTable.from_frame(pl.DataFrame(rows), amt_unit="mg", dv_unit="ng/mL")
        >>> table.n_subjects, table.n_obs, table.scale
        (1, 1, 1000.0)
        """
        require_units(amt_unit, dv_unit, time_unit)
        _require_word("subject_rule", subject_rule, _RULES)
        _require_word("missing_covariates", missing_covariates, ("error", "impute"))
        names = tuple(dict.fromkeys(covariates))
        table = _checked(frame, names, impute=missing_covariates == "impute")
        return _settled(
            table,
            names,
            units=(amt_unit, dv_unit, time_unit),
            quantifiable=subject_rule == "quantifiable",
        )

    @classmethod
    def read_csv(
        cls,
        path: str | Path,
        *,
        amt_unit: str,
        dv_unit: str,
        time_unit: str = "h",
        covariates: Sequence[str] = (),
        subject_rule: Literal["quantifiable", "observed"] = "quantifiable",
        missing_covariates: Literal["error", "impute"] = "error",
    ) -> "EventTable":
        """Read and check an event table; keywords as of `from_frame`.

        Raises
        ------
        EventTableError
            The file is not a table, or not one that can be used.
        """
        try:
            frame = pl.read_csv(path, infer_schema_length=None, null_values=_GAPS)
            # Read again as text where there is one: a subject 007 is not subject 7.
            if "ID" in frame.columns:
                text = {"ID": pl.String}
                frame = pl.read_csv(
                    path, infer_schema_length=None, null_values=_GAPS, schema_overrides=text
                )
        except pl.exceptions.PolarsError as error:
            message = "The file cannot be read as comma-separated values with a header."
            raise EventTableError([Issue("bad_type", "error", message)]) from error
        return cls.from_frame(
            frame,
            amt_unit=amt_unit,
            dv_unit=dv_unit,
            time_unit=time_unit,
            covariates=covariates,
            subject_rule=subject_rule,
            missing_covariates=missing_covariates,
        )


def build_events(
    pc: pl.DataFrame,
    ex: pl.DataFrame,
    dm: pl.DataFrame,
    lb: pl.DataFrame | None = None,
    vs: pl.DataFrame | None = None,
    *,
    analyte: str,
    lloq: float | None = None,
    subject_rule: Literal["quantifiable", "observed"] = "quantifiable",
    missing_covariates: Literal["error", "impute"] = "impute",
) -> EventTable:
    """Build an event table from SDTM-shaped concentrations, exposure and demographics.

    Parameters
    ----------
    pc, ex, dm : polars.DataFrame
        Concentrations, exposure, demographics.
    lb, vs : polars.DataFrame, optional
        Creatinine and body weight at baseline.
    analyte : str
        PCTESTCD of the compound.
    lloq : float, optional
        Limit of quantification where PCLLOQ is empty, in PCSTRESU.
    subject_rule, missing_covariates : str
        As of `EventTable.from_frame`.

    Returns
    -------
    EventTable
        TIME in hours from a subject's first dose; covariates AGE, WT, CRCL, RACE, SEX, ETHNIC,
        and DISEASE where ``dm`` has it.

    Raises
    ------
    UnitError
        Concentrations, doses or creatinine in units that are unknown or not the same.
    EventTableError
        Columns are missing, or the rows cannot be used.

    References
    ----------
    .. [1] Cockcroft DW, Gault MH (1976), Nephron 16, 31-41 (creatinine clearance).
    """
    built: BuiltEvents = events_from_sdtm(pc, ex, dm, lb, vs, analyte=analyte, lloq=lloq)
    return EventTable.from_frame(
        built.frame,
        amt_unit=built.amt_unit,
        dv_unit=built.dv_unit,
        covariates=built.covariates,
        subject_rule=subject_rule,
        missing_covariates=missing_covariates,
    )


def dosing_from_events(events: EventTable) -> pl.DataFrame:
    """Last regular dose of each subject.

    Parameters
    ----------
    events : EventTable
        Dose records with II above 0 say how often a dose is given.

    Returns
    -------
    polars.DataFrame
        ID, DOSE in the unit of AMT, TAU in the unit of TIME; subjects without such a record are
        left out.
    """
    doses = events.frame.filter(IS_DOSE & (pl.col("II") > 0))
    last = doses.group_by("ID", maintain_order=True).last()
    return last.select("ID", pl.col("AMT").alias("DOSE"), pl.col("II").alias("TAU"))


def _require_word(name: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        message = f"{name}={word!r} is unknown; choose one of {', '.join(known)}."
        raise SpecError(message)


def _checked(frame: pl.DataFrame, covariates: tuple[str, ...], *, impute: bool) -> pl.DataFrame:
    """Columns as numbers, or every problem of columns and rows in one error."""
    issues = column_issues(frame, covariates)
    infused = infusion_rows(frame)
    if infused:
        message = "RATE and DUR must be 0: infusions are not modelled here."
        issues.append(Issue("infusion", "error", message, infused))
    if any(issue.code in {"missing_column", "bad_type"} for issue in issues):
        raise EventTableError(issues)
    table = typed_columns(frame, covariates)
    issues += row_issues(table, covariates, impute=impute)
    if not frame.height:
        issues.append(Issue("no_subjects", "error", "The table has no rows."))
    if issues:
        raise EventTableError(issues)
    return integer_codes(table)


def _settled(
    table: pl.DataFrame,
    covariates: tuple[str, ...],
    *,
    units: tuple[str, str, str],
    quantifiable: bool,
) -> EventTable:
    """Leave out what cannot be analysed, and say so."""
    warnings: list[Issue] = []
    table = without_early_samples(table, warnings)
    reasons = find_exclusions(table, quantifiable=quantifiable)
    excluded = reasons.filter(pl.col("REASON").is_not_null()).select("ID", "REASON")
    gone = pl.col("ID").is_in(excluded["ID"].to_list())
    if excluded.height == reasons.height:
        message = "The rules leave no subject: " + count_reasons(excluded)
        raise EventTableError([Issue("no_subjects", "error", message)])
    if excluded.height:
        text = "Subjects left out: " + count_reasons(excluded)
        warnings.append(Issue("subject_excluded", "warning", text, broken(table, gone)))
    first = table.filter(gone & IS_DOSE).group_by("ID", maintain_order=True).first()
    levels = first.group_by("AMT").len().sort("AMT")
    table = fill_gaps(table, covariates, stays=~gone, warnings=warnings)
    repeated = IS_SAMPLE & ~pl.struct("ID", "TIME", "EVID", "MDV").is_first_distinct()
    warn(
        warnings,
        "duplicate_observation",
        "Two samples at one time; both are kept.",
        broken(table, repeated),
    )
    return EventTable(
        frame=table.filter(~gone),
        amt_unit=units[0],
        dv_unit=units[1],
        time_unit=units[2],
        covariates=covariates,
        excluded=excluded,
        issues=tuple(warnings),
        excluded_by_dose=dict(zip(levels["AMT"].to_list(), levels["len"].to_list(), strict=True)),
    )
