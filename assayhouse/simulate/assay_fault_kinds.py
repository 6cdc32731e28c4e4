"""The assay faults themselves, per layout. Functions of a feed; nothing is written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from assayhouse.simulate.assay_feed import FeedFile
from assayhouse.simulate.sheet import NUMBER
from assayhouse.simulate.streams import choose

FLOW, FLOW_QC = "covance_flow.results", "covance_flow.qc"
EPIGENETIC = "epiontis.results"
RESULTS, WELLS = "singulex.results", "singulex.wells"
EXPRESSION, SAMPLE_QC = "dxterity.expression", "dxterity.sampleqc"
LB, PC = "central_lab.lb", "pk_lab.pc"
_SHIFT = 4.0  # factor between two lots
_LOT_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Clean files of a vendor, and how strongly a fault strikes them."""

    files: Mapping[str, FeedFile]
    judged: str
    strength: float
    seed: int

    @property
    def file(self) -> FeedFile:
        """The file in which the fault must be found."""
        return self.files[self.judged]

    def some(self, candidates: list[int], *, least: int = 1) -> list[int]:
        """Choose a share of the candidates, at least one."""
        size = min(max(least, round(self.strength * len(candidates))), len(candidates))
        return choose(self.seed, "assay", self.judged, candidates=candidates, size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What a fault did: files changed, rows (by place) that must be found, and as what."""

    files: Mapping[str, FeedFile]
    rule: str
    disposition: str
    columns: tuple[str, ...]
    places: list[int]
    follows: Mapping[str, list[int]] = field(default_factory=dict)


Kind: TypeAlias = Callable[[Feed], Struck]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def scaled(text: str, factor: float) -> str:
    """Multiply a number, written with as many significant digits as it came with, four at least."""
    digits = max(4, len(text.replace(".", "").lstrip("0")))
    value = float(text) * factor
    decimals = max(0, digits - 1 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{decimals}f}"


def _numbers(file: FeedFile, column: str, places: list[int] | None = None) -> list[int]:
    every = range(len(file.rows)) if places is None else places
    return [place for place in every if _is_number(file.cell(place, column))]


def _groups(feed: Feed, *columns: str) -> list[int]:
    """Places of the rows of some groups of the judged file."""
    file = feed.file
    values = file.values(*columns)
    chosen = feed.some(list(range(len(values))))
    wanted = {values[number] for number in chosen}
    at = [file.at(column) for column in columns]
    return [p for p, row in enumerate(file.rows) if tuple(row[c] for c in at) in wanted]


def _rescaled(file: FeedFile, places: list[int], factors: Mapping[str, float]) -> FeedFile:
    return file.changed(
        {
            place: {
                column: scaled(file.cell(place, column), factor)
                for column, factor in factors.items()
                if _is_number(file.cell(place, column))
            }
            for place in places
        }
    )


def _control_missing(*columns: str, controls: str, **control: str) -> Kind:
    def kind(feed: Feed) -> Struck:
        places = _groups(feed, *columns)
        file, other = feed.file, feed.files[controls]
        lost = {tuple(file.cell(place, column) for column in columns) for place in places}
        gone = [
            place
            for place in other.where(**control)
            if tuple(other.cell(place, column) for column in columns) in lost
        ]
        changed = {controls: other.without(gone)}
        return Struck(
            files=changed, rule="F34", disposition="Q", columns=(columns[0],), places=places
        )

    return kind


def _blank_missing(feed: Feed) -> Struck:
    places = _groups(feed, "BATCHID")
    batches = {feed.file.cell(place, "BATCHID") for place in places}
    other = feed.files[SAMPLE_QC]
    gone = [p for p in range(len(other.rows)) if other.cell(p, "BATCHID") in batches]
    changed = {SAMPLE_QC: other.changed({place: {"NTCSIG": ""} for place in gone})}
    return Struck(files=changed, rule="F34", disposition="Q", columns=("BATCHID",), places=places)


def _spread(column: str, text: str, *, fits: Callable[[FeedFile, int], bool]) -> Kind:
    def kind(feed: Feed) -> Struck:
        file = feed.file
        places = feed.some([p for p in _numbers(file, column) if fits(file, p)])
        changed = {feed.judged: file.changed({place: {column: text} for place in places})}
        return Struck(files=changed, rule="F34", disposition="W", columns=(column,), places=places)

    return kind


def _above_limit(file: FeedFile, place: int) -> bool:
    return float(file.cell(place, "MEANCONC")) > 2.0 * float(file.cell(place, "LLOQ"))


def _group_in_another_unit(
    column: str, key: Callable[[str], str], *, test: str = "", **factors: float
) -> Kind:
    """Numbers of the group with the most of them in another unit than their label says."""

    def kind(feed: Feed) -> Struck:
        file = feed.file
        value = next(iter(factors))
        groups: dict[str, list[int]] = {}
        known = file.where(LBTESTCD=test) if test else None
        for place in _numbers(file, value, known):
            groups.setdefault(key(file.cell(place, column)), []).append(place)
        places = max(groups.values(), key=len)
        changed = {feed.judged: _rescaled(file, places, factors)}
        return Struck(files=changed, rule="F32", disposition="Q", columns=(value,), places=places)

    return kind


def _ratio_for_log2(feed: Feed) -> Struck:
    file = feed.file
    batch = file.cell(feed.some(list(range(len(file.rows))))[0], "BATCHID")
    places = [p for p in file.where(BATCHID=batch) if file.cell(p, "NORMVAL")]
    cells = {p: {"NORMVAL": f"{2.0 ** float(file.cell(p, 'NORMVAL')):.6f}"} for p in places}
    changed = {feed.judged: file.changed(cells)}
    return Struck(files=changed, rule="F32", disposition="Q", columns=("NORMVAL",), places=places)


def _labelled(column: str, text: str, **cells: str) -> Kind:
    def kind(feed: Feed) -> Struck:
        file = feed.file
        places = feed.some(file.where(**cells))
        changed = {feed.judged: file.changed({place: {column: text} for place in places})}
        return Struck(files=changed, rule="F32", disposition="Q", columns=(column,), places=places)

    return kind


def _sex_factor(feed: Feed) -> Struck:
    file = feed.file
    places = feed.some(_numbers(file, "ORRES", file.where(XFACT="2")))
    halved = _rescaled(file, places, {"ORRES": 0.5})
    changed = {feed.judged: halved.changed({place: {"XFACT": "1"} for place in places})}
    return Struck(files=changed, rule="F34", disposition="Q", columns=("XFACT",), places=places)


def _exchanged(*columns: str, disposition: str) -> Kind:
    """Two subjects of different sex exchange what the laboratory knows of them, at one visit."""

    def kind(feed: Feed) -> Struck:
        file, sex = feed.file, columns[0]
        first = feed.some(file.where(**{sex: "M"}))[0]
        mates = file.where(**{sex: "F", "VISIT": file.cell(first, "VISIT")})
        second = feed.some(mates)[0]
        pair = [file.where(ACCNO=file.cell(place, "ACCNO")) for place in (first, second)]
        given = {column: file.cell(second, column) for column in columns}
        taken = {column: file.cell(first, column) for column in columns}
        cells = dict.fromkeys(pair[0], given) | dict.fromkeys(pair[1], taken)
        shown = ("SUBJID",) if disposition == "H" else (sex,)
        return Struck(
            files={feed.judged: file.changed(cells)},
            rule="F24",
            disposition=disposition,
            columns=shown,
            places=sorted(cells),
        )

    return kind


def _other_lot(
    lot: str, group: str, value: str, *, within: str | None = None, **factors: float
) -> Kind:
    """Measure a share of the runs, plates or batches with another lot, that reads higher."""

    def kind(feed: Feed) -> Struck:
        file = feed.file
        names = _names(feed, group, within)
        size = max(1, round(_LOT_SHARE * len(names)))
        chosen = choose(feed.seed, "lot", candidates=list(range(len(names))), size=size)
        strange = {names[number] for number in chosen}
        places = [p for p in range(len(file.rows)) if file.cell(p, group) in strange]
        moved = [p for p in places if file.cell(p, value)]
        changed = _rescaled(file, places, factors) if factors else _raised(file, moved)
        cells = {p: {lot: f"{file.cell(p, lot)}X"} for p in places}
        found = [p for p in moved if _is_number(file.cell(p, value).lstrip("-"))]
        return Struck(
            files={feed.judged: changed.changed(cells)},
            rule="F34",
            disposition="W",
            columns=(lot,),
            places=found,
        )

    return kind


def _names(feed: Feed, group: str, within: str | None) -> list[str]:
    """Names of the groups; of one value of another column only, where lots belong to it."""
    file = feed.file
    if within is None:
        return [name for (name,) in file.values(group)]
    pairs = file.values(within, group)
    one = pairs[feed.some(list(range(len(pairs))))[0]][0]
    return [name for value, name in pairs if value == one]


def _raised(file: FeedFile, places: list[int]) -> FeedFile:
    """Raise log2 expression and its area alike."""
    return file.changed(
        {
            place: {
                "NORMVAL": f"{float(file.cell(place, 'NORMVAL')) + math.log2(_SHIFT):.4f}",
                "AREA": scaled(file.cell(place, "AREA"), _SHIFT),
            }
            for place in places
        }
    )


def _days_later(text: str, days: int) -> str:
    import datetime as dt  # noqa: PLC0415 - only here

    return (dt.datetime.fromisoformat(text) + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def _aged(column: str, days: int, **also: str) -> Kind:
    def kind(feed: Feed) -> Struck:
        file = feed.file
        places = _groups(feed, "ACCNO")
        late = {place: _days_later(file.cell(place, "COLDTM"), days) for place in places}
        cells = {place: {column: late[place], **also} for place in places}
        changed = {feed.judged: file.changed(cells)}
        return Struck(files=changed, rule="F34", disposition="W", columns=(column,), places=places)

    return kind


def _gene_missing(feed: Feed) -> Struck:
    file = feed.file
    gone = feed.some(file.where(GENE="IFI27"))
    short = file.without(gone)
    specimens = {file.cell(place, "ACCNO") for place in gone}
    places = [p for p in range(len(short.rows)) if short.cell(p, "ACCNO") in specimens]
    changed = {feed.judged: short}
    return Struck(files=changed, rule="F37", disposition="Q", columns=("GENE",), places=places)


def _gene_named(text: str, *, rule: str, disposition: str) -> Kind:
    def kind(feed: Feed) -> Struck:
        file = feed.file
        places = feed.some(file.where(GENE="RSAD2"))
        specimens = {file.cell(place, "ACCNO") for place in places}
        rest = [p for p in range(len(file.rows)) if file.cell(p, "ACCNO") in specimens]
        changed = {feed.judged: file.changed({place: {"GENE": text} for place in places})}
        follows = {"F37": sorted(set(rest) - set(places))} if disposition == "Q" else {}
        return Struck(
            files=changed,
            rule=rule,
            disposition=disposition,
            columns=("GENE",),
            places=places,
            follows=follows,
        )

    return kind


def _too_many_of_a_kind(feed: Feed) -> Struck:
    """CD8 cells of a specimen are more than all of its T cells; events agree with the count."""
    file = feed.file
    whole = feed.some(_numbers(file, "ORRES", file.where(TESTCD="CD3T")))
    cells, places = {}, []
    for place in whole:
        specimen = file.where(ACCNO=file.cell(place, "ACCNO"))
        kinds = {file.cell(p, "TESTCD"): p for p in specimen}
        part = kinds["CD8T"]
        factor = 1.3 * float(file.cell(place, "ORRES")) / float(file.cell(part, "ORRES"))
        events = round(factor * int(file.cell(part, "EVT")))
        exact = events / int(file.cell(part, "EVT"))
        cells[part] = {"ORRES": scaled(file.cell(part, "ORRES"), exact), "EVT": str(events)}
        places += [kinds[name] for name in ("CD3T", "CD4T", "CD8T") if name in kinds]
    changed = {feed.judged: file.changed(cells)}
    return Struck(
        files=changed, rule="F36", disposition="W", columns=("ORRES",), places=sorted(places)
    )


def _more_than_all(feed: Feed) -> Struck:
    """More than a hundred percent; the copies agree with it."""
    file = feed.file
    places = feed.some(_numbers(file, "ORRES"))
    changed = file
    for place in places:
        factor = 130.0 / float(file.cell(place, "ORRES"))
        columns = ("ORRES", "COPT1", "COPT2", "COPT3", "COPTMEAN")
        changed = _rescaled(changed, [place], dict.fromkeys(columns, factor))
    return Struck(
        files={feed.judged: changed}, rule="F36", disposition="W", columns=("ORRES",), places=places
    )


def _more_lymphocytes(feed: Feed) -> Struck:
    file = feed.file
    struck = feed.some(_numbers(file, "LBSTRESN", file.where(LBTESTCD="LYM")))
    cells, places = {}, []
    for place in struck:
        mates = file.where(LBREFID=file.cell(place, "LBREFID"), LBTESTCD="WBC")
        number = str(round(1.4 * float(file.cell(mates[0], "LBSTRESN"))))
        cells[place] = {"LBORRES": number, "LBSTRESN": number}
        places += [place, *mates]
    changed = {feed.judged: file.changed(cells)}
    return Struck(
        files=changed, rule="F36", disposition="W", columns=("LBSTRESN",), places=sorted(places)
    )


def _altered(column: str, factor: float, *, disposition: str = "W") -> Kind:
    def kind(feed: Feed) -> Struck:
        file = feed.file
        large = [p for p in _numbers(file, column) if NUMBER.fullmatch(file.cell(p, column))]
        places = feed.some(large)
        changed = {feed.judged: _rescaled(file, places, {column: factor})}
        return Struck(
            files=changed,
            rule="RECOMPUTED",
            disposition=disposition,
            columns=(column,),
            places=places,
        )

    return kind


def _expression_altered(feed: Feed) -> Struck:
    file = feed.file
    places = feed.some([p for p in range(len(file.rows)) if file.cell(p, "NORMVAL")])
    cells = {p: {"NORMVAL": f"{float(file.cell(p, 'NORMVAL')) - 0.2:.4f}"} for p in places}
    return Struck(
        files={feed.judged: file.changed(cells)},
        rule="RECOMPUTED",
        disposition="W",
        columns=("NORMVAL",),
        places=places,
    )


def _after_the_dose(feed: Feed) -> Struck:
    file = feed.file
    places = feed.some([p for p in range(len(file.rows)) if file.cell(p, "PCRFTDTC")])
    cells = {p: {"PCDTC": f"{file.cell(p, 'PCRFTDTC')[:10]}T22:30"} for p in places}
    changed = {feed.judged: file.changed(cells)}
    return Struck(files=changed, rule="F27", disposition="Q", columns=("PCDTC",), places=places)


def _site(subject: str) -> str:
    return subject.partition("-")[0]


def _same(text: str) -> str:
    return text


MISSING_CONTROL: dict[str, Kind] = {
    FLOW: _control_missing("RUNNO", controls=FLOW_QC),
    RESULTS: _control_missing("PLATEID", "PARAMCD", controls=WELLS, TYPE="CTRL"),
    EXPRESSION: _blank_missing,
}
REPLICATE_CV: dict[str, Kind] = {
    RESULTS: _spread("CVPCT", "31.00", fits=_above_limit),
    EPIGENETIC: _spread("COPTCV", "41.00", fits=lambda _file, _place: True),
    SAMPLE_QC: _spread("REFCV", "45.00", fits=lambda _file, _place: True),
}
UNIT_OF_NUMBERS: dict[str, Kind] = {
    FLOW: _group_in_another_unit("RUNNO", _same, ORRES=1000.0),
    EPIGENETIC: _group_in_another_unit("ASSAYRUN", _same, ORRES=0.01),
    RESULTS: _group_in_another_unit(
        "PLATEID", _same, ORRES=1e-3, MEANCONC=1e-3, SDCONC=1e-3, LLOQ=1e-3, ULOQ=1e-3
    ),
    EXPRESSION: _ratio_for_log2,
    LB: _group_in_another_unit("SUBJID", _site, test="C3", LBORRES=1000.0, LBSTRESN=1000.0),
    PC: _group_in_another_unit("SUBJID", _site, PCORRES=1000.0, PCSTRESN=1000.0),
}
UNIT_OF_LABEL: dict[str, Kind] = {
    FLOW: _labelled("ORRESU", "10^9/L", ORRESU="cells/uL"),
    EPIGENETIC: _labelled("ORRESU", "fraction", ORRESU="%"),
    RESULTS: _labelled("ORRESU", "ng/mL", ORRESU="pg/mL"),
    LB: _labelled("LBORRESU", "cells/uL", LBORRESU="10^9/L"),
    PC: _labelled("PCORRESU", "pg/mL", PCORRESU="ng/mL"),
}
SEX_FACTOR: dict[str, Kind] = {EPIGENETIC: _sex_factor}
SUBJECTS: dict[str, Kind] = {
    FLOW: _exchanged("SEX", "BRTHYR", disposition="H"),
    EPIGENETIC: _exchanged("SEXUSED", disposition="Q"),
}
LOT_SHIFT: dict[str, Kind] = {
    FLOW: _other_lot("BEADLOT", "RUNNO", "ORRES", ORRES=_SHIFT, EVT=_SHIFT, EVTPAR=_SHIFT),
    RESULTS: _other_lot(
        "CALLOT", "PLATEID", "ORRES", within="PARAMCD", ORRES=_SHIFT, MEANCONC=_SHIFT, SDCONC=_SHIFT
    ),
    EXPRESSION: _other_lot("KITLOT", "BATCHID", "NORMVAL"),
}
AGED_SAMPLE: dict[str, Kind] = {
    FLOW: _aged("ACQDTM", 5, AGE_H="120.0"),
    EXPRESSION: _aged("RECDTM", 20),
}
INCOMPLETE_PANEL: dict[str, Kind] = {EXPRESSION: _gene_missing}
FUSED_GENE: dict[str, Kind] = {
    EXPRESSION: _gene_named("RSAD218", rule="F17", disposition="Q"),
}
DATED_GENE: dict[str, Kind] = {
    EXPRESSION: _gene_named("2-Sep", rule="F16", disposition="R"),
}
IMPOSSIBLE_SUM: dict[str, Kind] = {
    FLOW: _too_many_of_a_kind,
    EPIGENETIC: _more_than_all,
    LB: _more_lymphocytes,
}
RECOMPUTED: dict[str, Kind] = {
    FLOW: _altered("ORRES", 1.08),
    EPIGENETIC: _altered("ORRES", 1.25, disposition="Q"),
    RESULTS: _altered("ORRES", 1.08),
    EXPRESSION: _expression_altered,
    LB: _altered("LBSTRESN", 1.08),
    PC: _altered("PCSTRESN", 1.08),
}
AFTER_DOSE: dict[str, Kind] = {PC: _after_the_dose}
