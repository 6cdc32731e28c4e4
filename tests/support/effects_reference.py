"""Reads the reference numbers for effects that lie beside the checkout; skips when absent."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "../shared/reference/effects"
FACTORS = {"SITEGR1", "THERAPY", "GENDER", "TRT"}


def read_rows(name):
    """Rows of a reference file as dictionaries of text."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"reference file {name} is not beside the checkout (shared/reference/effects)")
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def numbers(rows, column):
    """One column as float64."""
    return np.array([float(row[column]) for row in rows])


def texts(rows, column):
    """One column as text."""
    return np.array([row[column] for row in rows])


def model_of(dataset, formula):
    """Terms, design and response of one reference fit, in R's names and coding."""
    rows = subjects_of(dataset)
    left, _, right = formula.replace(" ", "").partition("~")
    columns = {"(Intercept)": np.ones(len(rows))}
    for term in right.split("+"):
        if term in FACTORS:
            values = texts(rows, term)
            for level in sorted(set(values.tolist()))[1:]:
                columns[f"{term}{level}"] = (values == level).astype(float)
        else:
            columns[term] = numbers(rows, term)
    return list(columns), np.column_stack(list(columns.values())), numbers(rows, left)


def subjects_of(dataset):
    """Rows behind a data-set key such as ``antidepressant_data[VISIT==4]``."""
    name, _, condition = dataset.partition("[")
    rows = read_rows(f"data/{'adqsadas_actot' if name == 'adqsadas' else name}.csv")
    if name == "antidepressant_data":
        return [row for row in rows if row["VISIT"] == condition.split("==")[1].rstrip("]")]
    if name == "adqsadas":
        week = condition.split("==")[1].split(",")[0]
        kept = [row for row in rows if row["AVISITN"] == week and row["DTYPE"] == ""]
        return [row | {"TRT": row["TRTPN"]} for row in kept if row["BASE"] != "NA"]
    return rows
