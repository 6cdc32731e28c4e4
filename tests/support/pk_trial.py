"""A small trial and an earlier study in the names of SDTM, with concentrations of a known model."""

from functools import cache

import numpy as np
import polars as pl

from assayhouse.analysis.pk_events import TrialTables, earlier_events, trial_events
from assayhouse.pk import TrialDesign, simulate_trial

DRUG, DOSES = "DRUG", {"P": 0.0, "L": 0.15, "M": 0.3, "H": 0.45}
SOURCE = {"source_file": "pc.csv", "sha256": "0" * 64, "receipt": 7}


def tables(**changes):
    """Two subjects on the drug and one on placebo, one predose sample each at week 4."""
    names = ("A", "B", "Z")
    pc = pl.DataFrame(
        {
            "USUBJID": names,
            "PCSEQ": [1, 1, 1],
            "PCTESTCD": [DRUG] * 3,
            "PCORRES": ["0.4", "<0.05", "<0.05"],
            "PCSTRESN": [0.4, None, None],
            "PCSTRESU": ["ng/mL"] * 3,
            "PCLLOQ": [0.05] * 3,
            "PCDTC": ["2020-01-29T08:30"] * 3,
            "PCREFID": ["S1", "S2", "S3"],
            "source_line": [2, 3, 4],
            **{name: [value] * 3 for name, value in SOURCE.items()},
        }
    )
    ex = pl.DataFrame(
        {
            "USUBJID": names,
            "EXDOSE": [0.3, 0.15, 0.0],
            "EXDOSU": ["mg"] * 3,
            "EXDOSFRQ": ["QD"] * 3,
            "EXSTDTC": ["2020-01-01"] * 3,
            "EXENDTC": ["2020-06-01"] * 3,
            "EXADJ": pl.Series([None] * 3, dtype=pl.String),
        }
    )
    ec = pl.DataFrame(
        {
            "USUBJID": [name for name in names for _ in range(2)],
            "ECDTC": ["2020-01-28T08:00", "2020-01-29T08:45"] * 3,
            "ECOCCUR": ["Y"] * 6,
        }
    )
    dm = pl.DataFrame(
        {
            "STUDYID": ["S"] * 3,
            "USUBJID": names,
            "AGE": [40, 50, 60],
            "SEX": ["F", "M", "F"],
            "RACE": ["WHITE"] * 3,
            "ETHNIC": ["NOT HISPANIC OR LATINO"] * 3,
            "RFSTDTC": ["2020-01-01"] * 3,
        }
    )
    vs = pl.DataFrame(
        {
            "USUBJID": ["A", "A", "B", "Z"],
            "VSTESTCD": ["WEIGHT"] * 4,
            "VSSTRESN": [70.0, 99.0, 80.0, 60.0],
            "VSSTRESU": ["kg"] * 4,
            "VSDTC": ["2020-01-01", "2020-01-29", "2019-12-20", "2020-01-01"],
        }
    )
    lb = pl.DataFrame(
        {
            "USUBJID": names,
            "LBTESTCD": ["CREAT"] * 3,
            "LBSTRESN": [88.4, 88.4, 88.4],
            "LBSTRESU": ["umol/L"] * 3,
            "LBDTC": ["2019-12-20"] * 3,
        }
    )
    given = {"pc": pc, "ex": ex, "ec": ec, "dm": dm, "lb": lb, "vs": vs} | changes
    return TrialTables(**given)


def trial(**changes):
    """Event rows of the small trial."""
    return trial_events(tables(**changes), analyte=DRUG, disease="ILL")


def earlier_rows(**changes):
    """One subject of an earlier study, as a mapped shape gives it: text."""
    rows = [
        {"SEQ": "1", "TIME": "0", "EVID": "1", "AMT": "0.6", "AMTU": "mg", "ADDL": "1", "II": "24"},
        {"SEQ": "2", "TIME": "2", "EVID": "0", "DV": "1.2", "DVU": "ng/mL", "BLQ": "0"},
        {"SEQ": "3", "TIME": "60", "EVID": "0", "DVU": "ng/mL", "BLQ": "1"},
    ]
    who = {
        "STUDYID": "E",
        "USUBJID": "E-1",
        "LLOQ": "0.05",
        "AGE": "30",
        "SEX": "M",
        "RACE": "ASIAN",
        "ETHNIC": "NOT HISPANIC OR LATINO",
        "WT": "70",
        "DISEASE": "WELL",
        "creatinine": "1.0",
        "creatinine_unit": "mg/dL",
        "source_line": 2,
        **SOURCE,
    }
    return pl.DataFrame([who | row | changes for row in rows], infer_schema_length=None)


def earlier(**changes):
    """Event rows of the earlier study."""
    return earlier_events(earlier_rows(**changes))


@cache
def pooled_rows(*, rich=24, lloq=0.05, seed=3, scale=0.4):
    """Event rows of a simulated trial of sparse and rich data, in the analysis dataset's names."""
    n = tuple(round(scale * count) for count in (42, 82, 81))
    design = TrialDesign(n=n, rich=rich, lloq=lloq, dose_exponent_cl=0.166)
    events, _ = simulate_trial(design, seed=seed)
    frame = events.frame
    sick = pl.col("SLE") == 1
    return frame.select(
        pl.col("ID").alias("USUBJID"),
        pl.int_range(1, pl.len() + 1).over("ID").alias("ASEQ"),
        pl.col("TIME").alias("AFRLT"),
        *("EVID", "MDV", "CMT", "AMT"),
        pl.lit("mg").alias("AMTU"),
        "DV",
        pl.lit("ng/mL").alias("DVU"),
        pl.col("BLQ").alias("BLQFN"),
        pl.col("LLOQ").alias("ALLOQ"),
        *("ADDL", "II", "SS"),
        pl.col("AGE").floor(),
        pl.when(pl.col("FEMALE") == 1).then(pl.lit("F")).otherwise(pl.lit("M")).alias("SEX"),
        pl.lit("WHITE").alias("RACE"),
        pl.lit("NOT HISPANIC OR LATINO").alias("ETHNIC"),
        pl.col("WT").alias("WTBL"),
        pl.col("CRCL").alias("CRCLBL"),
        pl.when(sick).then(pl.lit("ILL")).otherwise(pl.lit("WELL")).alias("DISEASE"),
        pl.col("DOSE").alias("dose_mg"),
        pl.when(sick).then(pl.lit("trial")).otherwise(pl.lit("earlier")).alias("pk_source"),
    )


MODEL = {
    "structure": "oral2",
    "iiv": ["CL", "V1", "KA"],
    "block": [["CL", "V1"]],
    "error": "combined",
    "init": {"CL": 20, "V1": 110, "Q": 12, "V2": 150, "KA": 1.1, "sigma_add": 0.01,
             "sigma_prop": 0.25},
    "covariates": [{"form": "power", "parameter": "CL", "column": "WT", "reference": 70}],
}  # fmt: skip
FULL = (
    {"form": "power", "parameter": "CL", "column": "AGE", "reference": 45},
    {"form": "category", "parameter": "CL", "column": "DISEASE", "level": "WELL"},
    {"form": "category", "parameter": "CL", "column": "RACE", "level": "ASIAN"},
)
EFFECT = {"form": "power", "parameter": "CL", "column": "DOSE", "reference": 0.3}


def subjects_of(rows):
    """Treated subjects of a simulated trial, and two on placebo."""
    own = rows.filter(pl.col("pk_source") == "trial").unique("USUBJID", maintain_order=True)
    arms = {dose: arm for arm, dose in DOSES.items()}
    active = own.select(
        pl.col("USUBJID").alias("usubjid"),
        pl.col("dose_mg").replace_strict(arms, return_dtype=pl.String).alias("arm"),
        "dose_mg",
    )
    placebo = pl.DataFrame({"usubjid": ["p1", "p2"], "arm": ["P", "P"], "dose_mg": [0.0, 0.0]})
    return pl.concat([active, placebo])


def levels_of(subjects, seed=1):
    """Levels of two cut-offs, one subject without."""
    rng = np.random.default_rng(seed)
    frames = [
        subjects.select(
            "usubjid",
            pl.lit(cut).alias("cut_off"),
            pl.Series("level", rng.choice(["low", "high"], subjects.height)),
        )
        for cut in ("K1", "K2")
    ]
    return pl.concat(frames)
