"""Files of the simulated study taken apart for tests."""

import csv
import json

from assayhouse.simulate.vendor_layouts import ALL_LAYOUTS

LAYOUTS = {layout.full_name: layout for layout in ALL_LAYOUTS}


def paths_of(transfer, name):
    """Paths of the files of a layout in a transfer."""
    mark = f"_{name.replace('.', '-').replace('_', '-')}_"
    return [each for each in transfer.files if mark in each and "manifest" not in each]


def path_of(transfer, name):
    """Path of the only file of a layout in a transfer."""
    (path,) = paths_of(transfer, name)
    return path


def lines_of(transfer, name):
    """Physical lines of a file; the last one is empty."""
    text = transfer.files[path_of(transfer, name)].decode()
    dialect = LAYOUTS[name].dialect
    return text.split("\n" if dialect is None else dialect.line_end)


def records(transfer, name):
    """Rows of a file as dictionaries of text, in file order."""
    layout, lines = LAYOUTS[name], lines_of(transfer, name)
    if layout.dialect is None:
        rows = [json.loads(line) for line in lines[1:-1]]
        return [
            {
                name: "" if cell is None else str(cell)
                for name, cell in zip(layout.columns, row, strict=True)
            }
            for row in rows
        ]
    last = -2 if layout.dialect.trailer else -1
    data = lines[layout.first_data_line - 2 : last]
    options = {"delimiter": layout.dialect.delimiter, "quoting": layout.dialect.quoting}
    rows = list(csv.reader(data, **options))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def keys(rows, name):
    """Keys of rows."""
    return [tuple(row[column] for column in LAYOUTS[name].key) for row in rows]
