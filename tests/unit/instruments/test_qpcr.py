"""Wells and cycles of every qPCR format, with the traps of each; curves and replicates by hand."""

import datetime as dt
import zipfile

import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import archives, identify, inspect
from assayhouse.instruments import rdml as rdml_reader
from assayhouse.instruments.qpcr import (
    combine_replicates,
    percent_demethylated,
    read_qpcr,
    standard_curve,
)
from assayhouse.instruments.xlsx import open_workbook

from support.qpcr_files import (
    RDML,
    archive,
    cfx,
    data,
    experiment,
    lc480,
    plate,
    quantstudio,
    rdml,
    react,
    run,
    sample,
    workbook,
)

POINTS = [(1, 0.1), (2, 0.5), (40, 9.0)]
PLAIN = sample("s1") + experiment(run("r", react(1, "s1", data("t", 24.5, POINTS))))


def written(tmp_path, content, name="run.bin"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(tmp_path, content):
    return read_qpcr(written(tmp_path, content))


def refusal(tmp_path, content):
    with pytest.raises(InstrumentFileError) as caught:
        read(tmp_path, content)
    return caught.value.code


def column(found, name):
    return found.wells[name].to_list()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4"])
def test_rdml_is_read_in_every_version(tmp_path, version):
    found = read(tmp_path, rdml(PLAIN, version=version))
    assert found.format == "rdml"
    assert found.metadata["version"] == version
    assert found.flags == ()
    assert found.wells.rows() == [("r", "A01", "s1", "t", "UNK", 24.5, None, "ok")]
    assert found.cycles.rows() == [("r", "A01", "t", c, f) for c, f in POINTS]


def test_the_member_may_have_another_name_and_company(tmp_path):
    found = read(tmp_path, rdml(PLAIN, member="odd name.xml", **{"notes.xml": "<a/>", "b": "c"}))
    assert found.wells.height == 1
    assert read(tmp_path, RDML.format(version="1.2", body=PLAIN)).wells.height == 1


def test_types_quantities_and_exclusions_of_rdml(tmp_path):
    kinds = {"unkn": "UNK", "std": "STD", "ntc": "NTC", "pos": "CTRL", "nac": "CTRL"}
    reacts = [react(n, kind, data("t", 20 + n)) for n, kind in enumerate(kinds, start=1)]
    reacts.append(react(6, "unkn", data("t", 30, more="<excl>bubble</excl>")))
    body = "".join(
        sample(kind, kind, 1000 if kind == "std" else None) for kind in kinds
    ) + experiment(run("r", *reacts))
    found = read(tmp_path, rdml(body))
    assert column(found, "type") == [*kinds.values(), "UNK"]
    assert column(found, "quantity") == [None, 1000.0, None, None, None, None]
    assert column(found, "state") == ["ok"] * 5 + ["excluded"]
    assert column(found, "cq")[-1] == 30.0


def test_a_cq_that_is_no_result_is_kept_beside_its_state(tmp_path):
    cqs = [None, "NaN", "-1", "0", "41", "40", "2.5"]
    reacts = [react(n, "s", data("t", cq, POINTS)) for n, cq in enumerate(cqs, start=1)]
    found = read(tmp_path, rdml(experiment(run("r", *reacts))))
    assert column(found, "cq") == [None, None, -1.0, 0.0, 41.0, 40.0, 2.5]
    assert column(found, "state") == ["undetermined"] * 5 + ["ok", "ok"]
    assert found.flags == ("implausible_cq",)


def test_a_well_is_named_by_the_plate_where_it_is_one(tmp_path):
    rotor = plate(1, 72, "123", "123")
    words = "<pcrFormat>96-well plate; A1-H12</pcrFormat>"
    body = experiment(
        run("plate", react(14, "s", data("t"))),
        run("big", react(25, "s", data("t")), form=plate(16, 24)),
        run("rotor", react(14, "s", data("t")), form=rotor),
        run("plate", react("B3", "s", data("t"))),
        run("free", react("B3", "s", data("t")), form="<pcrFormat>free format</pcrFormat>"),
        run("words", react("B3", "s", data("t")), form=words),
    )
    found = read(tmp_path, rdml(body))
    assert column(found, "well") == ["B02", "B01", "14", "B03", "B3", "B03"]
    assert column(found, "run") == ["plate", "big", "rotor", "plate_2", "free", "words"]


def test_a_react_beyond_the_plate_is_told(tmp_path):
    found = read(tmp_path, rdml(experiment(run("r", react(97, "s", data("t", 20))))))
    assert column(found, "well") == ["97"]
    assert found.flags == ("damaged",)


def test_several_targets_in_one_react_are_several_rows_and_gaps_stay_gaps(tmp_path):
    held = data("t1", 20, [(1, 1.0), (3, "NaN")]) + data("t2", 30, [(2, 5.0)])
    found = read(tmp_path, rdml(experiment(run("r", react(1, "s", held)))))
    assert column(found, "target") == ["t1", "t2"]
    assert found.cycles.rows() == [
        ("r", "A01", "t1", 1, 1.0), ("r", "A01", "t1", 3, None), ("r", "A01", "t2", 2, 5.0)
    ]  # fmt: skip


def test_melting_points_are_counted_but_make_no_rows(tmp_path):
    melting = "<mdp><tmp>60</tmp><fluor>1</fluor></mdp>"
    one = data("t", 24.5, POINTS).replace("</data>", melting * 3 + "</data>")
    found = read(tmp_path, rdml(experiment(run("r", react(1, "s", one)))))
    assert found.metadata["melting_points"] == 3
    assert found.cycles.height == len(POINTS)
    assert "melting_points" not in read(tmp_path, rdml(PLAIN)).metadata


def test_a_run_says_who_and_when(tmp_path):
    more = (
        "<instrument>Cycler</instrument><runDate>2019-03-04T10:11:12</runDate>"
        "<dataCollectionSoftware><name>Soft</name><version>2</version></dataCollectionSoftware>"
    )
    body = '<experimenter id="jd"><lastName>D</lastName></experimenter>' + experiment(
        run("r", react(1, "s", data("t")), form=plate() + more)
    )
    metadata = read(tmp_path, rdml(body)).metadata
    assert metadata["instrument"] == "Cycler"
    assert (metadata["software"], metadata["software_version"]) == ("Soft", "2")
    assert metadata["run_datetime"] == dt.datetime.fromisoformat("2019-03-04T10:11:12")
    assert (metadata["run_id"], metadata["operator"]) == ("r", "jd")


def encrypted(content):
    """Set the bit of encryption in both headers."""
    marked = bytearray(content)
    marked[6] |= 1
    marked[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(marked)


def corrupted(content):
    at = content.index(b"rdml_data.xml") + 13
    return content[: at + 20] + b"\xff\x00\xff" + content[at + 23 :]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_qpcr"),
        (b"<html><body>no such page</body></html>", "not_qpcr"),
        (archive({"a.txt": "text"}), "not_qpcr"),
        (workbook({"Sheet": [["a", "b"]]}), "not_qpcr"),
        (rdml(PLAIN, version="2.0"), "unsupported_version"),
        (rdml(PLAIN)[:-30], "truncated"),
        (RDML.format(version="1.1", body=PLAIN)[:-30], "truncated"),
        (RDML.format(version="1.1", body=PLAIN).replace("</cq>", "</c>"), "damaged"),
        (rdml(PLAIN.replace("24.5", "many")), "damaged"),
        (rdml(PLAIN.replace("<cyc>2<", "<cyc>2.5<")), "damaged"),
        (corrupted(rdml(PLAIN)), "damaged"),
        (cfx(",A01,FAM,G,Unkn,P1,24.5,NaN").encode().replace(b"Well", b"\x01\x0bWell"), "damaged"),
        (encrypted(rdml(PLAIN)), "unsupported_feature"),
        (
            archive({"rdml_data.xml": "<!DOCTYPE rdml [<!ENTITY a 'b'>]>"
                     + RDML.format(version="1.1", body=PLAIN)}),
            "unsafe_xml",
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path, content, code):
    assert refusal(tmp_path, content) == code


@pytest.mark.parametrize(
    ("module", "limit", "body"),
    [
        (archives, "_UNPACKED_OF_SMALL", "<!-- " + "x" * 9000 + " -->"),
        (rdml_reader, "_MOST_ELEMENTS", "<a/>" * 5000),
    ],
)
def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, monkeypatch, module, limit, body):
    monkeypatch.setattr(module, limit, 4000)
    assert refusal(tmp_path, rdml(body)) == "too_large"


def test_a_long_prolog_hides_no_declaration(tmp_path):
    hidden = "<!-- " + "x" * (5 << 20) + " --><!DOCTYPE rdml [<!ENTITY a 'b'>]>"
    content = archive({"rdml_data.xml": hidden + RDML.format(version="1.1", body=PLAIN)})
    assert refusal(tmp_path, content) == "not_qpcr"
    plain = hidden + RDML.format(version="1.1", body=PLAIN)
    with pytest.raises(InstrumentFileError) as caught:
        rdml_reader.read_rdml(plain.encode())
    assert caught.value.code == "unsafe_xml"


def test_cfx_words_for_no_number_are_no_numbers(tmp_path):
    text = cfx(
        ",A01,FAM,Gene,Unkn,P1,24.5,NaN",
        ",A2,FAM,Gene,Std-1,,NaN,1000",
        ",A03,VIC,,NTC,,N/A,",
        ",A04,VIC,,Pos Ctrl,,,",
    )
    found = read(tmp_path, text)
    assert found.format == "cfx_csv"
    assert column(found, "well") == ["A01", "A02", "A03", "A04"]
    assert column(found, "target") == ["Gene", "Gene", "VIC", "VIC"]
    assert column(found, "type") == ["UNK", "STD", "NTC", "CTRL"]
    assert column(found, "cq") == [24.5, None, None, None]
    assert column(found, "quantity") == [None, 1000.0, None, None]
    assert column(found, "state") == ["ok", "undetermined", "undetermined", "undetermined"]


def test_cfx_keys_before_the_table_and_decimal_commas(tmp_path):
    before = "File Name,run.pcrd\r\nCreated By User,admin\r\n"
    found = read(tmp_path, cfx(",A01,FAM,Gene,Unkn,P1,24.5,NaN", before=before))
    assert found.metadata["operator"] == "admin"
    assert column(found, "run") == ["run.pcrd"]
    german = cfx(',A01,FAM,Gene,Unkn,P1,"24|5",').replace(",", ";").replace("|", ",")
    assert column(read(tmp_path, "\ufeff" + german), "cq") == [24.5]


def test_cfx_that_holds_a_word_for_a_number_is_refused_with_its_line(tmp_path):
    with pytest.raises(InstrumentFileError) as caught:
        read(tmp_path, cfx(",A01,FAM,G,Unkn,P,24.5,", ",A02,FAM,G,Unkn,P,late,"))
    assert (caught.value.code, caught.value.offset) == ("damaged", 3)
    assert "late" not in str(caught.value)


RESULT_ROWS = [
    "1\tA1\tfalse\tS1\tG\tUNKNOWN\t\t18.5\t18.5",
    "2\tA2\tfalse\tS2\tG\tSTANDARD\t1,000.5\tUndetermined\t",
    "3\tA3\ttrue\tS3\tG\tNTC\t\t30\t",
    "4\tA4\tfalse\t\t\t\t\t\t",
]
RESULTS = "\n".join(RESULT_ROWS)
CYCLES = "1\t1\tG\t0.5\t0\n1\t40\tG\t1,234.5\t0\n2\t1\tG\t0.7\t0"


def test_quantstudio_text_with_a_cyrillic_letter(tmp_path):
    found = read(tmp_path, quantstudio(RESULTS, cycles=CYCLES))
    assert found.format == "quantstudio_txt"
    assert found.wells.rows() == [
        ("run 7", "A01", "S1", "G", "UNK", 18.5, None, "ok"),
        ("run 7", "A02", "S2", "G", "STD", None, 1000.5, "undetermined"),
        ("run 7", "A03", "S3", "G", "NTC", 30.0, None, "excluded"),
        ("run 7", "A04", None, None, "UNK", None, None, "undetermined"),
    ]
    assert found.cycles.rows() == [
        ("run 7", "A01", "G", 1, 0.5),
        ("run 7", "A01", "G", 40, 1234.5),
        ("run 7", "A02", "G", 1, 0.7),
    ]  # fmt: skip


def test_quantstudio_says_who_and_when_and_may_be_utf_16(tmp_path):
    keys = (
        "* Block Type = 384-Well Block\n* Experiment Name = run 7\n"
        "* Experiment Run End Time = 2001-12-31 09:09:19 PM EST\n* Instrument Type = ViiA 7\n"
    )
    text = quantstudio("25\t\tfalse\tS\tG\tUNKNOWN\t\t20\t", keys=keys)
    found = read(tmp_path, text.encode("utf-16"))
    assert found.metadata["run_datetime"] == dt.datetime.fromisoformat("2001-12-31T21:09:19")
    assert found.metadata["instrument"] == "ViiA 7"
    assert column(found, "well") == ["B01"]


def test_quantstudio_without_results_is_refused(tmp_path):
    text = quantstudio(RESULTS)
    assert refusal(tmp_path, text.partition("[Results]")[0]) == "not_qpcr"


def test_a_quantstudio_workbook_is_the_same_run(tmp_path):
    rows = [line.split("\t") for line in RESULTS.splitlines()]
    rows[0][7] = 18.5
    keys = [["Experiment Name", "run 7"], [None], []]
    head = ["Well", "Well Position", "Omit", "Sample Name", "Target Name", "Task", "Quantity"]
    content = workbook(
        {
            "Sample Setup": [*keys, ["Well", "Well Position"], [1, "A1"]],
            "Amplification Data": [
                *keys, ["Well", "Cycle", "Target Name", "Rn"],
                [1, 1, "G", 0.5], [1, 40, "G", 1234.5], [2, 1, "G", 0.7],
            ],
            "Results": [
                *keys, [*head, "C\u0442"], *[[cell or None for cell in r[:8]] for r in rows],
                [], ["Analysis Type", "Singleplex"],
            ],
        }
    )  # fmt: skip
    found = read(tmp_path, content)
    text = read(tmp_path, quantstudio(RESULTS, cycles=CYCLES))
    assert found.format == "quantstudio_xlsx"
    assert found.wells.rows() == text.wells.rows()
    assert found.cycles.rows() == text.cycles.rows()


def test_lc480_words_and_blanks(tmp_path):
    found = read(
        tmp_path,
        lc480(
            "True\t255\tA1\tSample 1\t24.13\t\t0\t",
            "TRUE\t255\tA2\tStd\t20.5\t1.02E3\t1.00E3\t",
            "False\t255\tA3\tSample 3\t25\t7\t0\t",
            "True\t255\tP24\tSample 4\t\t\t0\t",
        ),
    )
    assert found.format == "lc480_txt"
    assert found.metadata["run_id"] == "Plate 3"
    assert found.wells.rows() == [
        ("Plate 3", "A01", "Sample 1", "FAM (465-510)", "UNK", 24.13, None, "ok"),
        ("Plate 3", "A02", "Std", "FAM (465-510)", "STD", 20.5, 1000.0, "ok"),
        ("Plate 3", "A03", "Sample 3", "FAM (465-510)", "UNK", 25.0, 7.0, "excluded"),
        ("Plate 3", "P24", "Sample 4", "FAM (465-510)", "UNK", None, None, "undetermined"),
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (rdml(PLAIN), "rdml"),
        (rdml(PLAIN)[:-30], "rdml"),
        (cfx(",A01,FAM,Gene,Unkn,P1,24.5,NaN"), "cfx_csv"),
        (quantstudio(RESULTS), "quantstudio_txt"),
        (lc480("True\t255\tA1\tS\t24\t\t0\t"), "lc480_txt"),
        (archive({"a.txt": "text"}), "unknown"),
        (workbook({"Sheet": [["a", "b"]]}), "unknown"),
    ],
)
def test_the_content_names_the_format(tmp_path, content, kind):
    assert identify(written(tmp_path, content)) == kind


def test_inspection_counts_states_and_draws_curves(tmp_path):
    found = inspect(written(tmp_path, rdml(PLAIN)))
    assert found.tables["states"].rows() == [("r", "t", "UNK", "ok", 1)]
    assert found.picture.title == "Amplification curves of run r"
    dots = inspect(written(tmp_path, cfx(",A01,FAM,Gene,Unkn,P1,24.5,NaN")))
    assert dots.picture.title == "Cq by well"
    cut = inspect(written(tmp_path, rdml(PLAIN)[:-30]))
    assert (cut.format, cut.flags) == ("rdml", ("truncated",))
    version = inspect(written(tmp_path, rdml(PLAIN, version="9.9")))
    assert (version.format, version.flags) == ("rdml", ("unsupported_version",))


def test_sheets_are_read_with_their_gaps():
    book = open_workbook(workbook({"one": [["a", None, 1.5], [], [True, "b"]]}))
    assert book.sheets == ("one",)
    assert book.rows("one") == [["a", None, 1.5], [], ["TRUE", "b"]]


@pytest.mark.parametrize(
    ("member", "old", "new", "code"),
    [
        ("xl/worksheets/sheet1.xml", b'r="A1"', b'r="ZZZZ1"', "damaged"),
        ("xl/worksheets/sheet1.xml", b't="n"', b't="s"', "damaged"),
        ("xl/workbook.xml", b"<workbook", b"<!DOCTYPE a [<!ENTITY b 'c'>]><workbook", "unsafe_xml"),
        ("xl/_rels/workbook.xml.rels", b"sheet1", b"sheet7", "damaged"),
    ],
)
def test_a_workbook_that_contradicts_itself_is_refused(tmp_path, member, old, new, code):
    path = written(tmp_path, workbook({"one": [[7, "b"]]}))
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    assert old in members[member]
    members[member] = members[member].replace(old, new, 1)
    with pytest.raises(InstrumentFileError) as caught:
        open_workbook(archive(members)).rows("one")
    assert caught.value.code == code


def test_a_standard_curve_gives_back_its_own_copies():
    copies = np.array([10, 100, 1000, 1e4, 1e5])
    cq = 38.0 - 3.4 * np.log10(copies)
    curve = standard_curve(copies, cq)
    assert curve.intercept == pytest.approx(38.0)
    assert curve.slope == pytest.approx(-3.4)
    assert curve.efficiency == pytest.approx(10 ** (1 / 3.4) - 1)
    assert curve.r_squared == pytest.approx(1.0)
    assert curve.status == "ok"
    np.testing.assert_allclose(curve.copies(cq), copies)
    assert np.isnan(curve.copies([np.nan])[0])


@pytest.mark.parametrize(
    ("copies", "cq", "status"),
    [
        ([10, 100, 1000], [30, 26, 22], "efficiency_out_of_range"),
        ([10, 10, 1000, 1000], [31, 29, 24.4, 22.4], "low_r_squared"),
        ([10, 10, 10], [30, 30, 30], "failed"),
        ([10, 100], [30, np.nan], "failed"),
        ([10, 100, 1000], [20, 23, 26], "failed"),
        ([10, 100, 0], [30, 26.7, 40], "ok"),
        ([], [], "failed"),
    ],
)
def test_a_standard_curve_is_judged(copies, cq, status):
    curve = standard_curve(copies, cq)
    assert curve.status == status
    assert np.isnan(curve.copies(25.0)) == (status == "failed")


@pytest.mark.parametrize(
    ("cq", "used", "mean", "status"),
    [
        ([24.0, 24.1, 24.2], [True] * 3, 24.1, "ok"),
        ([24.0, 24.5, 25.0], [True] * 3, 24.5, "ok"),
        ([24.1, 24.2, 25.0], [True, True, False], 24.15, "one_dropped"),
        ([24.0, 25.0, 26.0], [False] * 3, None, "failed"),
        ([24.0, 24.2, np.nan], [True, True, False], 24.1, "one_dropped"),
        ([24.0, np.nan, np.nan], [False] * 3, None, "failed"),
        ([24.0, np.nan], [False] * 2, None, "failed"),
        ([np.nan] * 3, [False] * 3, None, "not_detected"),
        ([24.0], [True], 24.0, "ok"),
    ],
)
def test_one_replicate_may_be_dropped_and_no_more(cq, used, mean, status):
    found = combine_replicates(cq)
    assert found.used.tolist() == used
    assert found.status == status
    assert np.isnan(found.mean) if mean is None else found.mean == pytest.approx(mean)


def test_percent_demethylated_counts_the_x_chromosome():
    one = percent_demethylated([50, 0, np.nan, 5], [1000, 1000, 1000, 0])
    np.testing.assert_allclose(one, [5, 0, np.nan, np.nan])
    two = percent_demethylated(50, 1000, efficiency_factor=1.1, copy_factor=2)
    assert two == pytest.approx(11.0)
