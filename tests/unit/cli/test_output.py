"""Tables fit the terminal, say what they left out, and cannot steer it."""

import io

import polars as pl
from rich.console import Console

from assayhouse.commands.lines import write_line
from assayhouse.commands.output import ROWS_SHOWN, clean, print_table, progress, say


def printed(frame, *, width=80):
    stream = io.StringIO()
    print_table(frame, console=Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_no_line_is_wider_than_the_terminal():
    frame = pl.DataFrame({f"column_{number:02d}": ["some text"] for number in range(30)})
    lines = printed(frame, width=60).splitlines()
    assert max(map(len, lines)) <= 60


def test_columns_left_out_are_named():
    frame = pl.DataFrame({f"column_{number:02d}": ["some text"] for number in range(10)})
    told = printed(frame, width=60)
    assert "more columns: " in told
    assert all(f"column_{number:02d}" in told.replace("\n", " ") for number in range(10))


def test_one_column_is_shown_however_wide():
    assert "xxx" in printed(pl.DataFrame({"a": ["x" * 500]}), width=40)


def test_text_is_broken_over_lines_before_a_column_is_left_out():
    message = "the file was cut off inside this row and its trailer is missing " * 3
    frame = pl.DataFrame(
        {"receipt": [34], "layout": ["singulex.wells"], "message": [message], "line": [123456]}
    )
    told = printed(frame)
    assert max(map(len, told.splitlines())) <= 80
    assert "more columns" not in told
    assert all(word in told for word in ("singulex.wells", "123456", *message.split()))


def test_a_number_is_never_broken_and_what_is_left_out_says_how_to_see_it():
    frame = pl.DataFrame({f"n{place}": [123456789] for place in range(6)})
    told = printed(frame, width=40)
    assert told.count("123456789") == 3
    assert "3 more columns: n3, n4, n5 (a wider terminal shows" in " ".join(told.split())


def test_rows_left_out_are_counted():
    told = printed(pl.DataFrame({"a": range(ROWS_SHOWN + 7)}))
    assert f"{ROWS_SHOWN + 7} rows, the first {ROWS_SHOWN} shown" in told
    assert "rows, the first" not in printed(pl.DataFrame({"a": range(ROWS_SHOWN)}))


def test_no_rows_still_show_the_columns():
    assert "a" in printed(pl.DataFrame(schema={"a": pl.Int64}))


def test_markup_in_the_data_is_text():
    assert "[red]x[/red]" in printed(pl.DataFrame({"[bold]": ["[red]x[/red]"]}))


def test_the_data_cannot_steer_the_terminal(capsys):
    assert "\x1b" not in printed(pl.DataFrame({"a": ["\x1b[2Jgone\x07\r\n"]}))
    say("\x1b]0;title\x07")
    assert "\x1b" not in capsys.readouterr().out
    assert clean("µ and 中 stay") == "µ and 中 stay"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_long_line_is_broken_between_words_on_a_terminal_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    text = "assayhouse: " + "word " * 20 + "/a/path/that/is/longer/than/the/terminal/is/wide.csv"
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        write_line(stream, text, indent="  ")
    first, *others = terminal.getvalue().splitlines()
    assert first.startswith("  assayhouse: word")
    assert all(line.startswith("    ") for line in others)
    assert max(map(len, [first, *others[:-1]])) <= 40
    assert others[-1].strip() == text.rsplit(maxsplit=1)[-1]
    assert file.getvalue() == f"  {text}\n"


def test_numbers_are_short_and_nothing_is_nothing():
    assert (clean(1 / 3), clean(None), clean(7), clean(True)) == ("0.333333", "", "7", "True")


def test_progress_is_silent_where_nobody_watches(capsys):
    with progress() as tell:
        tell("step", 1, 2)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
