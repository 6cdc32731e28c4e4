"""Build, publish, unblind: what becomes stale, what makes a publication, what the sides serve."""

import re
import shutil

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.errors import DeclarationError, DeliveryStateError, QueryError
from assayhouse.pipeline.dry_run import dry_run
from assayhouse.pipeline.night import refresh, run_night
from assayhouse.pipeline.publication import is_unblinded, publish, unblind
from assayhouse.pipeline.relations import build_relation, derived, fingerprint, is_current, stale
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.catalogue import query
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

from support.cytokine_study import cytokine_declarations, cytokine_transfers, write_cytokine_study

LOADED = cytokine_declarations()
AT = "2026-01-05T02:00:00+00:00"
LATER = "2026-01-06T02:00:00+00:00"


@pytest.fixture(scope="module")
def first_night(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home") / "home").create()
    first, second = cytokine_transfers()[:2]
    # Randomisation comes with the first transfer only; everything else is cumulative.
    rand = {name: data for name, data in first.files.items() if name.startswith("irt/")}
    for name, content in (second.files | rand).items():
        target = home.landing / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    run_night(home, LOADED, at=AT, who="test")
    return home


@pytest.fixture
def home(first_night, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(first_night.root, copy)
    return Home(copy)


def test_after_a_night_nothing_is_stale(home):
    assert stale(home, LOADED) == ()
    assert all(is_current(Lake(home, LOADED), LOADED, name) for name in derived(LOADED))


def test_a_second_night_makes_no_version_no_publication_and_one_audit_line(home):
    before = fingerprint(home, LOADED)
    versions = {name: [c.version for c in Lake(home, LOADED).heads(name)] for name in LOADED.tables}
    lines = sum(1 for _ in AuditLog(home.audit_file).entries())
    result = run_night(home, LOADED, at=LATER, who="test")
    assert result.built == ()
    assert not result.published.is_new
    assert fingerprint(home, LOADED) == before
    assert versions == {
        name: [c.version for c in Lake(home, LOADED).heads(name)] for name in LOADED.tables
    }
    entries = list(AuditLog(home.audit_file).entries())[lines:]
    assert [entry.why for entry in entries] == ["no new content"]


def test_a_changed_recipe_makes_the_relation_stale_but_equal_content_no_version(home, tmp_path):
    study = write_cytokine_study(tmp_path / "study")
    text = LOADED.sql_path("sdtm.dm").read_text()
    (study / "sql" / "sdtm").mkdir(parents=True)
    (study / "sql" / "sdtm" / "dm.sql").write_text(text + "-- the same, said again\n")
    other = declarations.load(study)
    assert stale(home, other) == ("sdtm.dm",)
    version = Lake(home, other).head("sdtm.dm").version
    assert refresh(home, other) == ("sdtm.dm",)
    assert Lake(home, other).head("sdtm.dm").version == version


@pytest.mark.parametrize("damage", ["open", "sealed", "absent"])
def test_a_night_mends_a_warehouse_file_that_is_cut_off_or_gone(home, damage):
    path = home.warehouse_file("open" if damage == "open" else "sealed")
    size = path.stat().st_size
    if damage == "absent":
        path.unlink()
    else:
        with path.open("r+b") as stream:
            stream.truncate(size - 300_000)
    result = publish(home, LOADED, at=LATER, who="test", reason="night")
    assert not result.is_new
    assert len(result.warehouse_files) == 2
    assert path.stat().st_size >= size
    assert publish(home, LOADED, at=LATER, who="test", reason="night").warehouse_files == ()


def test_what_intake_writes_is_not_built_here(home):
    with pytest.raises(DeclarationError, match="not built from other relations"):
        build_relation(home, LOADED, "intake.receipts")


def test_before_the_unblinding_treatment_is_not_in_the_open_file(home):
    assert query(home, "select count(*) as n from adam.adbm").item() > 0
    for relation in ("adam.adsl", "ard.effects", "raw.irt_rand", "report.figures"):
        with pytest.raises(QueryError):
            query(home, f"select * from {relation}")
        assert query(home, f"select count(*) as n from {relation}", sealed=True).height == 1


def test_no_byte_of_the_open_side_names_an_arm(home):
    words = [arm.ARM.encode() for arm in LOADED.study.arms]
    seen = 0
    for path in home.root.rglob("*"):
        if "sealed" in path.relative_to(home.root).parts or not path.is_file():
            continue
        if path.parts[-2:] and "ref" in path.parts and "arms" in path.parts:
            continue  # the plan's arms are no secret; who has which is
        seen += 1
        if path.suffix in {".csv", ".html", ".json", ".jsonl", ".svg"}:
            content = path.read_bytes()
            assert not any(word in content for word in words), path
    assert seen > 50


def test_unblinding_is_recorded_once_with_a_reason_and_opens_the_sealed_side(home):
    assert not is_unblinded(home)
    with pytest.raises(DeliveryStateError, match="reason"):
        unblind(home, LOADED, planned="planned", reason=" ", at=LATER, who="a person")
    unblind(home, LOADED, planned="planned", reason="database lock", at=LATER, who="a person")
    published = publish(home, LOADED, at=LATER, who="test", reason="unblinding")
    assert not published.is_new, "the content is the same; only who may see it has changed"
    assert query(home, "select count(*) as n from ard.effects").item() > 0
    assert (published.report_folder / "index.html").is_file()
    assert "sealed" not in published.report_folder.parts
    with pytest.raises(DeliveryStateError, match="already on record"):
        unblind(home, LOADED, planned="planned", reason="again", at=LATER, who="a person")


def test_the_report_says_synthetic_and_needs_no_other_file(home):
    folder = next((home.root / "sealed" / "reports").glob("0*"))
    page = (folder / "index.html").read_text()
    assert "SYNTHETIC DATA" in page
    assert not re.search(r"(src|href)=[\"']https?:", page)
    assert {path.suffix for path in folder.iterdir()} == {".html", ".csv", ".svg", ".png", ".pdf"}


def test_a_morning_page_is_written_with_its_twin(home):
    folder = home.reports("open") / "mornings"
    assert sorted(path.name for path in folder.iterdir()) == ["2026-01-05.csv", "2026-01-05.html"]


def test_every_column_of_the_warehouse_carries_its_label(home):
    rows = query(
        home,
        "select table_name, column_name from duckdb_columns() "
        "where schema_name in ('sdtm', 'adam', 'ref', 'intake') and comment is null",
    )
    assert rows.is_empty()


def test_a_dry_run_reads_nothing_sealed_and_marks_every_result(home):
    (home.root / "sealed").rename(home.root / "elsewhere")
    done = dry_run(home, LOADED)
    effects = pl.read_csv(done.folder / "ard.effects.csv")
    assert effects.height == done.relations["ard.effects"] > 0
    assert effects["treatment"].unique().to_list() == ["DUMMY TREATMENT"]
    assert set(effects["arm"]) == {arm.ARMCD for arm in LOADED.study.arms}
    assert b"DUMMY TREATMENT" in (done.folder / "figure_2.svg").read_bytes()
    again = dry_run(home, LOADED)
    assert pl.read_csv(again.folder / "ard.effects.csv").equals(effects)
    assert not list(home.scratch_name("open").parent.glob("*"))


def test_dummy_arms_are_not_the_true_ones(home):
    dry_run(home, LOADED)
    dummy = pl.read_csv(home.root / "dummy" / "ard.effects.csv").filter(pl.col("term") == "diff")
    true = Lake(home, LOADED).scan("ard.effects").collect().filter(pl.col("term") == "diff")
    assert dummy["n"].sum() == true["n"].sum()
    assert not dummy["estimate"].equals(true["estimate"])
