"""Non-compartmental analysis of theophylline against PKNCA 0.12.1 (R 4.2)."""

import csv

import polars as pl
import pytest

from assayhouse.pk import nca, nca_table

from support.shared import shared


def expected():
    with shared("reference", "pk", "theoph_pknca_subjects_1_6.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return [(row["Subject"], row["end"], row["PPTESTCD"], float(row["PPORRES"])) for row in rows]


def profiles():
    frame = pl.read_csv(shared("reference", "pk", "theoph.csv"))
    return {str(key[0]): part for key, part in frame.partition_by("Subject", as_dict=True).items()}


def test_every_printed_number_is_met():
    found = profiles()
    for subject, end, name, value in expected():
        part = found[subject]
        ours = nca(part["Time"], part["conc"], interval=(0.0, float(end.replace("Inf", "inf"))))
        assert ours[name.replace(".", "_")] == pytest.approx(value, rel=1e-12), (subject, name)


def test_the_table_gives_the_same_numbers():
    frame = pl.read_csv(shared("reference", "pk", "theoph.csv"))
    rows = nca_table(frame, by=["Subject"], time="Time", conc="conc", interval=(0, 24))
    assert rows.height == 12
    by_subject = {str(row["Subject"]): row for row in rows.rows(named=True)}
    for subject, _, name, value in expected():
        assert by_subject[subject][name.replace(".", "_")] == pytest.approx(value, rel=1e-12)
