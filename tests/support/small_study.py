"""A study of two layouts and a few relations, made of objects, for tests of the warehouse."""

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.plan import Plan
from assayhouse.contracts.study import Arm, Study, Visit
from assayhouse.contracts.table_spec import Field, TableSpec
from assayhouse.contracts.vendor_file import ColumnSpec, Dialect, LayoutSpec, Limits, Mapping
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

TYPES = {
    "SEQ": "integer",
    "STRESN": "number",
    "n": "integer",
    "mean": "number",
    "day": "date",
    "seen": "datetime",
    "ok": "boolean",
    "receipt": "integer",
    "source_line": "integer",
}
COUNTS_SQL = """-- adam.counts: results by subject
select
    USUBJID,
    count(*) as n,
    avg(LBSTRESN) as mean
from sdtm.lb
group by USUBJID
"""
ARMS_SQL = "select SUBJID as USUBJID, ARMCD from raw.irt_rand"


def field(name):
    kind = TYPES.get(name) or TYPES.get(name[2:], "text")
    return Field(
        name=name, label=f"Label of {name}", type=kind, unit="mg" if name == "mean" else None
    )


def table(relation, columns, key, **more):
    """A contract: columns and key as words in one text each."""
    return TableSpec(
        relation=relation,
        label=f"Label of {relation}",
        grain=f"one row per {key}",
        fields=tuple(field(name) for name in columns.split()),
        key=tuple(key.split()),
        **more,
    )


def layout(name, columns, key, *, maps=None, sealed=()):
    return LayoutSpec(
        layout=name,
        version="1",
        label=f"Label of {name}",
        reader="delimited",
        dialect=Dialect(),
        columns=tuple(columns),
        key=tuple(key.split()),
        mode="cumulative",
        manifest="none",
        file_pattern=None,
        sealed_under=sealed,
        limits=Limits(),
        maps_to=() if maps is None else (maps,),
        where=f"{name}.yaml",
    )


RESULTS = layout(
    "lab.res",
    [
        ColumnSpec(name="SUBJID", label="Subject"),
        ColumnSpec(name="TEST", label="Test"),
        ColumnSpec(name="VALUE", label="Value", type="number"),
    ],
    "SUBJID TEST",
    maps=Mapping(
        relation="lb",
        columns={"USUBJID": "'S-' || SUBJID", "TESTCD": "TEST", "STRESN": "VALUE_number"},
        where="TEST <> 'SKIP'",
    ),
)
CODES = layout(
    "irt.rand",
    [ColumnSpec(name="SUBJID", label="Subject"), ColumnSpec(name="ARMCD", label="Arm")],
    "SUBJID",
    sealed=("codes", "content"),
)
FINDING = "USUBJID {0}SEQ {0}TESTCD {0}STRESN VISIT receipt"
TABLES = (
    table("ref.arms", "ARMCD ARM", "ARMCD", side="open", writer="x:y"),
    table("intake.notes", "id text at", "id", side="open", writer="x:y", unhashed=("at",)),
    table(
        "intake.kept", "receipt source_line text", "receipt source_line", side="split", writer="x:y"
    ),
    table(
        "sdtm.lb",
        "DOMAIN " + FINDING.format("LB") + " LBEXTRA",
        "USUBJID LBSEQ",
        domain="LB",
        mapped={"lb": ("USUBJID", "TESTCD", "STRESN", "VISIT", "EXTRA")},
        writer="x:y",
    ),
    table(
        "sdtm.vs",
        "DOMAIN " + FINDING.format("VS"),
        "USUBJID VSSEQ",
        domain="VS",
        mapped={"vs": ("USUBJID", "TESTCD")},
        writer="x:y",
    ),
    table("adam.counts", "USUBJID n mean", "USUBJID", parents=("sdtm.lb",)),
    table("adam.arms", "USUBJID ARMCD", "USUBJID", parents=("raw.irt_rand", "ref.arms")),
    table("report.kinds", "id n mean day seen ok", "id", writer="x:y"),
)
LB = "sdtm.lb"
RAW = "raw.lab_res"


def study(folder, *, blinding="codes"):
    """Declarations whose SQL files lie in ``folder``."""
    sql = folder / "sql" / "adam"
    sql.mkdir(parents=True, exist_ok=True)
    (sql / "counts.sql").write_text(COUNTS_SQL)
    (sql / "arms.sql").write_text(ARMS_SQL)
    known = Study(
        study_id="SMALL",
        title="Small",
        synthetic=True,
        blinding=blinding,
        layouts=("lab.res", "irt.rand"),
        arms=(Arm(ARMCD="A", ARM="Arm A", dose_mg=None, is_reference=True),),
        visits=(
            Visit(
                AVISITN=0,
                AVISIT="Baseline",
                target_day=1,
                first_day=1,
                last_day=1,
                is_baseline=True,
                spellings=(),
            ),
        ),
        other_visits=(),
        visit_rule="name",
        baseline_rule="last_before_first_dose",
        strata=(),
        parameters=(),
        treatment_words=(),
        plan=Plan(),
        figures=(),
        seed=1,
        time_zone="UTC",
        folder=folder,
    )
    return Declarations(
        study=known,
        fields={
            name: item
            for spec in TABLES
            for name, item in zip(spec.columns, spec.fields, strict=True)
        },
        layouts={"lab.res": RESULTS, "irt.rand": CODES},
        declared_tables={spec.relation: spec for spec in TABLES},
        parameters={},
        unit_factors=(),
        unit_spellings={},
    )


def small_lake(folder, **options):
    """A new home with nothing in it, and the lake over it."""
    return Lake(Home(folder / "home").create(), study(folder / "study", **options))


def results(receipt, values, *, action="NEW", first_line=2):
    """Rows of the results layout: (subject, test) to value, in the order of the mapping."""
    keys = list(values)
    return pl.DataFrame(
        {
            "SUBJID": [key[0] for key in keys],
            "TEST": [key[1] for key in keys],
            "VALUE": [None if values[key] is None else str(values[key]) for key in keys],
            "VALUE_number": [values[key] for key in keys],
            "source_file": "r.csv",
            "source_line": range(first_line, first_line + len(keys)),
            "sha256": f"{receipt:064x}",
            "receipt": receipt,
            "record_action": action,
        },
        schema_overrides={"VALUE": pl.String, "VALUE_number": pl.Float64},
    )


def codes(receipt, arms):
    """Rows of the sealed layout: subject to arm."""
    return pl.DataFrame(
        {
            "SUBJID": list(arms),
            "ARMCD": list(arms.values()),
            "source_file": "c.csv",
            "source_line": range(2, 2 + len(arms)),
            "sha256": f"{receipt:064x}",
            "receipt": receipt,
            "record_action": "NEW",
        }
    )


def findings(rows, prefix="LB"):
    """Rows of a findings relation: (subject, sequence) to number."""
    return pl.DataFrame(
        {
            "DOMAIN": [prefix] * len(rows),
            "USUBJID": [key[0] for key in rows],
            f"{prefix}SEQ": [key[1] for key in rows],
            f"{prefix}TESTCD": ["T"] * len(rows),
            f"{prefix}STRESN": list(rows.values()),
            "VISIT": [None] * len(rows),
            "receipt": [1] * len(rows),
            "LBEXTRA": [None] * len(rows),
        },
        schema_overrides={f"{prefix}STRESN": pl.Float64, f"{prefix}SEQ": pl.Int64},
    )


def arms(*names):
    return pl.DataFrame({"ARMCD": [name[0] for name in names], "ARM": list(names)})
