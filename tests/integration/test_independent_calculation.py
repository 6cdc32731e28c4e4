"""What the pipeline derives equals what plain Python makes of the delivered text and the truth.

Scores, levels, changes and responses of every subject of the simulated study are computed here
from the files' cells without any of the library's derivations, and compared with the relations.
"""

import math
from collections import defaultdict
from decimal import Decimal
from statistics import fmean

import polars as pl
import pytest

from assayhouse.pipeline import relations
from assayhouse.simulate.individuals import level_table, score_table, subject_table
from assayhouse.simulate.world import World
from assayhouse.warehouse import slices

from support.clean_study import clean_home, needed, rows_of
from support.simulated import records

pytestmark = pytest.mark.slow
LAYOUTS = (
    *("covance_flow.results", "epiontis.results", "singulex.results", "dxterity.expression"),
    *("central_lab.lb", "edc.dm", "edc.site", "edc.ex", "edc.response", "irt.rand", "irt.strata"),
)
WEEKS = {"BASELINE": 0, "WEEK 4": 4, "WEEK 12": 12, "WEEK 24": 24}
WANTED = ("adam.module_scores", "adam.adbm", "adam.subset_flags", "adam.adrs")
PRINTED = 2e-3  # relative: laboratories print three significant digits at least
KEY = ["USUBJID", "PARAMCD", "AVISITN"]


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    return clean_home(tmp_path_factory.mktemp("independent") / "home", WANTED, layouts=LAYOUTS)


@pytest.fixture(scope="module")
def study(landed):
    home, made, loaded = landed
    tables = {name: rows_of(home, loaded, name) for name in WANTED}
    return tables, made.transfers[-1], World(made.seed, made.subjects), loaded.study


@pytest.fixture(scope="module")
def own_scores(study):
    """Log2 score by subject, week and module, from peak areas as printed."""
    _, last, _, declared = study
    areas = defaultdict(dict)
    for row in records(last, "dxterity.expression"):
        subject = f"{row['STUDYID']}-{row['SUBJID']}"
        areas[subject, WEEKS[row["VISIT"]]][row["GENE"]] = float(row["AREA"])
    found = {}
    for key, genes in areas.items():
        base = fmean(math.log2(genes[name]) for name in declared.plan.expression.references)
        for module in declared.plan.modules:
            log2 = [math.log2(genes[name]) - base for name in module.genes]
            found[(*key, module.PARAMCD)] = fmean(log2)
    return found


def apart(pair, ours, theirs):
    """Largest difference of two columns relative to the size of the second, and rows compared."""
    assert pair[ours].is_null().to_list() == pair[theirs].is_null().to_list()
    size = pl.max_horizontal(pl.col(theirs).abs(), pl.lit(1e-9))
    return pair.select(((pl.col(ours) - pl.col(theirs)).abs() / size).max()).item(), pair.height


def test_module_scores_are_those_of_the_printed_areas(study, own_scores):
    tables, _, _, declared = study
    weeks = {visit.AVISIT: visit.AVISITN for visit in declared.visits}
    log2 = {module.log2: module.PARAMCD for module in declared.plan.modules}
    rows = tables["adam.module_scores"]
    assert rows.height == 2 * len(own_scores)
    for row in rows.iter_rows(named=True):
        code = log2.get(row["TESTCD"], row["TESTCD"])
        own = own_scores[row["USUBJID"], weeks[row["VISIT"]], code]
        expected = own if row["TESTCD"] in log2 else 2.0**own
        assert row["STRESN"] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_module_scores_are_those_of_the_planted_truth(study):
    tables, _, world, declared = study
    weeks = {visit.AVISIT: visit.AVISITN for visit in declared.visits}
    scores = tables["adam.module_scores"].select(
        "USUBJID",
        pl.col("TESTCD").alias("PARAMCD"),
        pl.col("VISIT").replace_strict(weeks, return_dtype=pl.Int64).alias("AVISITN"),
        "STRESN",
    )
    truth = score_table(world).filter(pl.col("specimen_arrived"))
    truth = truth.rename({"usubjid": "USUBJID", "paramcd": "PARAMCD", "avisitn": "AVISITN"})
    pair = truth.join(scores, on=KEY, how="left").drop_nulls("STRESN")
    assert pair.height == truth.height
    # The truth averages the laboratory's own four decimals; ours are from the areas.
    assert (pair["STRESN"] - pair["score_printed"]).abs().max() < 6e-5


def test_subset_flags_are_those_of_the_printed_areas(study, own_scores):
    tables, _, world, declared = study
    module = {item.log2: item.PARAMCD for item in declared.plan.modules}
    flags = {
        (row["USUBJID"], row["cut_off"]): row for row in tables["adam.subset_flags"].to_dicts()
    }
    subjects = world.subjects.usubjid
    assert len(flags) == len(subjects) * len(declared.plan.cut_offs)
    levels = defaultdict(int)
    for subject in subjects:
        for cut in declared.plan.cut_offs:
            value = own_scores.get((subject, 0, module[cut.parameter]))
            level = None if value is None else "high" if value > cut.value else "low"
            flag = None if level is None else "Y" if level == cut.level_of_interest else "N"
            row = flags[subject, cut.cut_off]
            assert (row["level"], row["of_interest_fl"]) == (level, flag)
            assert (row["reasons"] is None) == (value is not None)
            levels[level] += 1
    assert min(levels[level] for level in ("high", "low", None)) > 0


def analysed(study):
    """Analysed records of the parameters with effects."""
    return study[0]["adam.adbm"].filter(
        pl.col("ANL01FL") == "Y", pl.col("PARAMCD").is_in(study[3].plan.effect_parameters)
    )


def expected_changes(values):
    """CHG and PCHG from value and BLQ flag by (subject, parameter, week), in plain arithmetic."""
    rows = []
    for (subject, parameter, week), (value, _) in values.items():
        base, base_blq = values.get((subject, parameter, 0), (None, False))
        change = value - base if week and base is not None else None
        usable = change is not None and not base_blq and base > 0
        percent = 100 * change / base if usable else None
        rows.append((subject, parameter, week, value, base, change, percent))
    schema = [*KEY, "own_aval", "own_base", "own_chg", "own_pchg"]
    return pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)


def test_changes_of_one_laboratory_are_those_of_its_text(study):
    values = {}
    for row in records(study[1], "singulex.results"):
        if row["STATUS"] == "F" and row["ORRES"] != "QNS":
            low = row["ORRES"].startswith("<")
            value = float(row["ORRES"][1:]) / 2 if low else float(row["ORRES"])
            key = f"{row['STUDYID']}-{row['SUBJID']}", row["PARAMCD"], WEEKS[row["VISIT"]]
            values[key] = (value, low)
    own = expected_changes(values)
    ours = analysed(study).filter(pl.col("PARAMCD").is_in(own["PARAMCD"].unique().to_list()))
    pair = ours.join(own, on=KEY, how="full", coalesce=True)
    for mine, theirs in (("AVAL", "own_aval"), ("BASE", "own_base"), ("CHG", "own_chg")):
        largest, n = apart(pair, mine, theirs)
        assert largest < 1e-12
    largest, n = apart(pair, "PCHG", "own_pchg")
    print(
        f"{n} results of one laboratory: BASE, CHG, PCHG equal to 1e-12, PCHG within {largest:.1e}"
    )
    assert n == len(values)
    assert largest < 1e-9


def test_values_and_changes_of_every_analyte_are_those_of_the_planted_truth(study):
    tables, _, world, _ = study
    limits = dict(declared_limits(tables["adam.adbm"]))
    values = {}
    for row in level_table(world).filter(pl.col("delivered")).iter_rows(named=True):
        key = row["usubjid"], row["paramcd"], row["avisitn"]
        limit = limits.get((row["paramcd"], row["usubjid"], row["avisitn"]))
        values[key] = (limit / 2 if row["blq"] else row["reported"], row["blq"])
    own = expected_changes(values)
    pair = analysed(study).join(own, on=KEY, how="full", coalesce=True)
    assert pair.height == len(values)
    for mine, theirs in (("AVAL", "own_aval"), ("BASE", "own_base")):
        largest, n = apart(pair, mine, theirs)
        print(f"{mine}: {n} values of {pair['PARAMCD'].n_unique()} analytes within {largest:.1e}")
        assert largest < PRINTED
    for mine, theirs, size in (("CHG", "own_chg", "own_base"), ("PCHG", "own_pchg", None)):
        assert pair[mine].is_null().to_list() == pair[theirs].is_null().to_list()
        scale = 100.0 + pair[theirs].abs() if size is None else pair[size] + pair[theirs].abs()
        largest = ((pair[mine] - pair[theirs]).abs() / scale).max()
        print(f"{mine}: within {largest:.1e} of the size of its parts")
        assert largest < 2 * PRINTED


def declared_limits(adbm):
    """Limit that came with each result, by parameter, subject and week."""
    for row in adbm.filter(pl.col("blq_fl") == "Y").iter_rows(named=True):
        yield (row["PARAMCD"], row["USUBJID"], row["AVISITN"]), row["lloq"]


def own_response(base, now):
    """SRI-4 from its components as texts; None where the visit or a component is missing."""
    if now is None or "" in (now["SLEDAI"], now["PGA"], now["BILAGWORS"]):
        return None
    better = int(base["SLEDAI"]) - int(now["SLEDAI"]) >= 4
    steady = Decimal(now["PGA"]) - Decimal(base["PGA"]) < Decimal("0.3")
    return "Y" if better and steady and now["BILAGWORS"] == "N" else "N"


def test_responder_flags_are_those_of_the_components_with_non_responder_imputation(study):
    tables, last, _, _ = study
    seen = {(row["USUBJID"], row["VISIT"]): row for row in records(last, "edc.response")}
    ours = {(row["USUBJID"], row["AVISITN"]): row for row in tables["adam.adrs"].to_dicts()}
    subjects = study[2].subjects.usubjid
    assert len(ours) == 3 * len(subjects)
    kinds = defaultdict(int)
    for subject in subjects:
        base, failed = seen[subject, "BASELINE"], False
        for visit, week in list(WEEKS.items())[1:]:
            now = seen.get((subject, visit))
            failed = failed or (now is not None and "Y" in (now["RESCUE"], now["DISCONT"]))
            rederived, row = own_response(base, now), ours[subject, week]
            assert row["rederived_response"] == rederived
            stated = (now or {}).get("SRI4") or rederived
            answer = "N" if failed or stated is None else stated
            assert (row["AVALC"], row["AVAL"]) == (answer, float(answer == "Y"))
            kinds[answer, failed, stated] += 1
    print(f"responses by (answer, failed, stated): {dict(kinds)}")
    assert {("Y", False, "Y"), ("N", True, "N"), ("N", False, None)} <= set(kinds)


def test_responders_at_the_end_are_those_that_were_planted(study):
    tables, _, world, _ = study
    end = tables["adam.adrs"].filter(pl.col("AVISITN") == 24).select("USUBJID", "AVAL")
    truth = subject_table(world).select(
        pl.col("usubjid").alias("USUBJID"), pl.col("responder_nri").cast(pl.Float64)
    )
    pair = truth.join(end, on="USUBJID", how="full", coalesce=True)
    assert pair["AVAL"].to_list() == pair["responder_nri"].to_list()


def test_relations_built_part_by_part_are_those_built_at_once(landed, monkeypatch):
    home, _, loaded = landed
    once, parts = relations.made, []

    def made(context):
        frame = once(context)
        parts.append((context.spec.relation, frame.height))
        return frame

    monkeypatch.setattr(relations, "made", made)
    monkeypatch.setattr(slices, "SLICE_ROWS", 5_000)
    for relation in needed(loaded, WANTED):
        if loaded.tables[relation].slices is None:
            continue
        parts.clear()
        commit = relations.build_relation(home, loaded, relation)
        print(f"{relation}: {commit.rows} rows in {len(parts)} parts")
        assert sum(rows for _, rows in parts) == commit.rows
        assert max(rows for _, rows in parts) <= slices.SLICE_ROWS or len(parts) == 1
        assert (len(parts) > 1) == (relation not in {"sdtm.rs", "sdtm.vs"}), parts
        assert not commit.changed, f"{relation}: the parts are not the whole"
