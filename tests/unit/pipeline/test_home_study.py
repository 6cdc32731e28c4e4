"""A home belongs to one study: recorded once, learned where it is old, refused to any other."""

from dataclasses import replace

import pytest

from assayhouse import cli
from assayhouse.errors import HomeError
from assayhouse.pipeline import delivery, publication
from assayhouse.pipeline.belonging import KIND, claim, studies_of
from assayhouse.pipeline.dry_run import dry_run
from assayhouse.pipeline.relations import build_relation
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse import belonging
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake
from dagster_project.resources import StudyHome

from support.cytokine_study import cytokine_declarations
from support.deliveries import AT, STUDY, WHO, Bench, layout, rows, study_of

OTHER = "OTHER-02"


def of_study(declarations, study_id):
    return replace(declarations, study=replace(declarations.study, study_id=study_id))


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "home", study_of(layout()))


def forgotten(bench):
    """Make the home one of an earlier version: no file, no line of the audit log."""
    bench.home.study_file.unlink()
    log = bench.home.audit_file
    kept = [entry for entry in bench.audit_rows() if entry.text("kind") != KIND]
    log.unlink()
    for entry in kept:
        AuditLog(log).append(entry.event, at=entry.at, who=entry.who, why=entry.why)


def noted(bench):
    return [entry.text("study") for entry in bench.audit_rows() if entry.text("kind") == KIND]


def test_the_first_scan_records_the_study_once(bench):
    assert belonging.study_of(bench.home) is None
    bench.scan()
    file = bench.home.study_file
    assert file.read_text() == f'{{"form": 1, "study": "{STUDY}"}}\n'
    written = file.stat().st_mtime_ns
    bench.scan()
    assert file.stat().st_mtime_ns == written
    assert noted(bench) == [STUDY]


def test_every_way_in_refuses_another_study(bench):
    bench.deliver(rows(3))
    other = of_study(bench.declarations, OTHER)
    before = (bench.home.audit_file.read_bytes(), bench.version())
    given = {"at": AT, "who": WHO}
    ways = [
        lambda: delivery.scan(bench.home, other, **given),
        lambda: delivery.ingest(bench.home, other, 1, **given),
        lambda: delivery.approve(bench.home, other, 1, reason="x", **given),
        lambda: delivery.refuse(bench.home, other, 1, reason="x", **given),
        lambda: publication.publish(bench.home, other, reason="night", **given),
        lambda: publication.unblind(bench.home, other, planned="planned", reason="x", **given),
        lambda: dry_run(bench.home, other),
        lambda: Lake(bench.home, other),
    ]
    for way in ways:
        with pytest.raises(HomeError) as told:
            way()
        text = str(told.value)
        named = (str(bench.home.root), STUDY, OTHER, "--home", "ASSAYHOUSE_HOME")
        assert all(word in text for word in named)
    assert (bench.home.audit_file.read_bytes(), bench.version()) == before


def test_the_same_study_with_new_declarations_comes_in(bench):
    bench.deliver(rows(3))
    bench.declarations = study_of(layout(label="Results, said anew"), layout(layout="acme.more"))
    assert bench.deliver(rows(4), transfer=2).state == "PUBLISHED"


@pytest.mark.parametrize("sent", [0, 3])
def test_a_home_of_an_earlier_version_is_recorded_at_the_next_scan(bench, sent):
    if sent:
        bench.deliver(rows(sent))
    else:
        bench.scan()
    forgotten(bench)
    bench.scan()
    assert belonging.study_of(bench.home) == STUDY
    assert noted(bench) == [STUDY]


def test_an_earlier_home_refuses_another_study_by_its_manifests(bench):
    bench.deliver(rows(3))
    forgotten(bench)
    other = of_study(bench.declarations, OTHER)
    with pytest.raises(HomeError, match=f"holds study {STUDY}"):
        delivery.scan(bench.home, other, at=AT, who=WHO)
    assert belonging.study_of(bench.home) is None
    assert noted(bench) == []


def test_an_earlier_home_without_manifests_is_told_by_its_tables(tmp_path):
    home = Home(tmp_path / "home").create()
    first = of_study(cytokine_declarations(), "FIRST-01")
    build_relation(home, first, belonging.STUDY)
    assert studies_of(home) == {"FIRST-01"}
    with pytest.raises(HomeError, match="FIRST-01"):
        claim(home, of_study(first, OTHER), at=AT, who=WHO)
    assert belonging.study_of(home) is None
    claim(home, first, at=AT, who=WHO)
    assert belonging.study_of(home) == "FIRST-01"


def test_a_kill_between_the_line_and_the_file_is_completed_without_a_second_line(
    bench, monkeypatch
):
    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(belonging, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            bench.scan()
    assert belonging.study_of(bench.home) is None
    with pytest.raises(HomeError):  # the line alone decides already
        delivery.scan(bench.home, of_study(bench.declarations, OTHER), at=AT, who=WHO)
    bench.scan()
    assert belonging.study_of(bench.home) == STUDY
    assert noted(bench) == [STUDY]


@pytest.mark.parametrize("content", ["", "[]", '{"form": 2, "study": "A"}', '{"form": 1}', "null"])
def test_a_record_that_cannot_be_read_is_an_error_with_a_way_out(bench, content):
    bench.scan()
    file = bench.home.study_file
    file.write_text(content)
    with pytest.raises(HomeError, match=r"cannot be read.*Write \{"):
        bench.scan()
    file.write_text(f'{{"study": "{STUDY}"}}')
    bench.scan()
    file.unlink()
    bench.scan()
    assert belonging.study_of(bench.home) == STUDY
    assert noted(bench) == [STUDY]


def test_commands_and_dagster_refuse_another_study(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("ASSAYHOUSE_STUDY", raising=False)
    monkeypatch.setenv("ASSAYHOUSE_USER", "tester")
    home = Home(tmp_path / "home").create()
    belonging.record(home, OTHER)
    before = sorted(home.root.rglob("*"))
    study = tmp_path / "study"
    assert cli.main(["new-study", str(study)]) == 0
    capsys.readouterr()
    named = ["--home", str(home.root), "--study", str(study)]
    for words in (
        ["run"],
        ["status"],
        ["dry-run"],
        ["approve", "1", "--reason", "x"],
        ["refuse", "1", "--reason", "x"],
        ["unblind", "--planned", "--reason", "x"],
        ["audit", "verify"],
        ["sql", "select 1"],
    ):
        assert cli.main([*named, *words]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert all(word in told.err for word in (OTHER, "NEW-STUDY-01", str(study), "--home"))
    with pytest.raises(HomeError, match=OTHER):
        _ = StudyHome(home_path=str(home.root)).home
    assert sorted(home.root.rglob("*")) == before


def test_a_question_without_a_study_is_answered_in_any_home(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("ASSAYHOUSE_STUDY", raising=False)
    home = Home(tmp_path / "home").create()
    belonging.record(home, OTHER)
    assert cli.main(["--home", str(home.root), "audit", "verify"]) == 0
    assert "holds" in capsys.readouterr().out
