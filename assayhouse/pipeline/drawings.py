"""Files of drawn figures, kept under what they were drawn from: a figure is drawn once.

The key covers every frame the drawing can read, its declaration, its marks and the code's version.
A kept drawing whose files are gone or have other bytes counts as none.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assayhouse.report.figure import DrawnFigure
from assayhouse.warehouse.home import atomic_write

FORMATS = ("svg", "png", "pdf", "csv")
THUMBNAIL = "thumbnail"
Row = dict[str, str | int]


def key_of(*parts: object, frames: Mapping[str, str]) -> str:
    """Return the identity of a drawing.

    Parameters
    ----------
    *parts : object
        What beside the frames decides the picture; equal parts have equal text.
    frames : mapping
        Relation to the content hash of the rows that may be read.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow

    listed = [f"{name}={digest}" for name, digest in sorted(frames.items())]
    whole = "\x1f".join([mpl.__version__, *map(repr, parts), *listed])
    return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Drawings:
    """The drawings of one side.

    Parameters
    ----------
    folder : Path
        Where the files are, each named by its SHA-256.
    """

    folder: Path

    def rows(self, key: str, draw: Callable[[], DrawnFigure]) -> list[Row]:
        """Return a figure's rows for the register, drawing it where no kept drawing serves."""
        kept = self._kept(key)
        if kept is None:
            kept = self._write(draw())
            content = json.dumps(kept, sort_keys=True).encode()
            atomic_write(self._note(key), content)
        return kept

    def _note(self, key: str) -> Path:
        return self.folder / "drawn" / f"{key}.json"

    def _kept(self, key: str) -> list[Row] | None:
        try:
            rows: list[Row] = json.loads(self._note(key).read_text("utf-8"))
            for row in rows:
                content = (self.folder / str(row["file_name"])).read_bytes()
                if hashlib.sha256(content).hexdigest() != row["sha256"]:
                    return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return rows

    def _write(self, drawn: DrawnFigure) -> list[Row]:
        self._note("").parent.mkdir(parents=True, exist_ok=True)
        twin = drawn.twin.write_csv().encode()
        contents = (drawn.svg, drawn.png, drawn.pdf, twin, drawn.thumbnail_svg)
        rows: list[Row] = []
        for name, content in zip((*FORMATS, THUMBNAIL), contents, strict=True):
            digest = hashlib.sha256(content).hexdigest()
            file_name = f"{digest}.{'svg' if name == THUMBNAIL else name}"
            atomic_write(self.folder / file_name, content)
            rows.append(
                {
                    "figure_id": drawn.figure_id,
                    "format": name,
                    "title": drawn.title,
                    "file_name": file_name,
                    "sha256": digest,
                    "n_values": drawn.twin.height,
                }
            )
        return rows
