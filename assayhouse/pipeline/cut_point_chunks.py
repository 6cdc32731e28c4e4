"""Bootstrap chunks of a cut-point search as files: made once, in any process, never half.

A chunk's file lies under a name made of the very data, options and seed it was computed from. So a
stopped run goes on where it stopped, two processes share the work, and changed data start anew.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.analysis.cut_points import (
    SearchData,
    options_of,
    search_chunk,
    search_data,
)
from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.plan import CutPointSearch
from assayhouse.errors import DeclarationError
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import analysed_subjects, baselines, responses_of
from assayhouse.warehouse.home import Home, atomic_write

RELATION = "ard.cut_point_bootstrap"


def declared_search(declarations: Declarations) -> CutPointSearch:
    """Search that the study declares.

    Raises
    ------
    DeclarationError
        It declares none.
    """
    search = declarations.study.plan.cut_points
    if search is None:
        message = f"{declarations.study.study_id} declares no analyses.cut_points in study.yaml."
        raise DeclarationError(message)
    return search


def subjects_of(context: BuildContext, marker: str, *, arms: Iterable[str]) -> pl.DataFrame:
    """Subjects of the named arms with marker and response; other arms are not read further."""
    search = declared_search(context.declarations)
    subjects = analysed_subjects(context).filter(pl.col("arm").is_in(list(arms)))
    responses = responses_of(context, search.endpoint, search.visit)
    return subjects.join(baselines(context, marker), on="usubjid", how="left").join(
        responses.select("usubjid", "response"), on="usubjid", how="left"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunks:
    """The chunks of one marker over one state of the data."""

    folder: Path
    data: SearchData
    search: CutPointSearch
    marker: str
    seed: int

    def path(self, chunk: int) -> Path:
        """File of one chunk."""
        return self.folder / f"{chunk:04d}.parquet"

    def done(self) -> tuple[int, ...]:
        """Chunks that are there."""
        return tuple(c for c in range(self.search.chunks) if self.path(c).is_file())

    def make(self, chunk: int) -> bool:
        """Make one chunk unless it is there; says whether it was made."""
        target = self.path(chunk)
        if target.is_file():
            return False
        frame = search_chunk(
            self.data, self.search, marker=self.marker, chunk=chunk, seed=self.seed
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        frame.write_parquet(content)
        atomic_write(target, content.getvalue())
        return True

    def read(self) -> pl.DataFrame:
        """All samples of the marker; chunks that are missing are made first."""
        for chunk in range(self.search.chunks):
            self.make(chunk)
        return pl.concat([pl.read_parquet(self.path(c)) for c in range(self.search.chunks)])


def _identity(data: SearchData, search: CutPointSearch, *, marker: str, seed: int) -> str:
    digest = hashlib.sha256()
    for array in (data.x, data.arm, data.response):
        digest.update(np.ascontiguousarray(array).tobytes())
    told = {"marker": marker, "seed": seed, "chunks": search.chunks, **options_of(search)}
    digest.update(json.dumps(told, sort_keys=True).encode())
    return digest.hexdigest()


def work_folder(home: Home, declarations: Declarations) -> Path:
    """Folder below which the chunks lie, on the side of the relation."""
    return home.work(declarations.side(RELATION)) / "cut_points"


def chunks_of(context: BuildContext, marker: str) -> Chunks:
    """Find the chunks of one marker for the data as they are now."""
    search = declared_search(context.declarations)
    subjects = subjects_of(context, marker, arms=(search.active, search.control))
    data, seed = search_data(subjects, search), context.declarations.study.seed
    identity = _identity(data, search, marker=marker, seed=seed)
    return Chunks(
        folder=work_folder(context.home, context.declarations) / marker / identity,
        data=data,
        search=search,
        marker=marker,
        seed=seed,
    )


def forget_others(chunks: Chunks) -> None:
    """Remove the chunks of former states of the data."""
    for folder in chunks.folder.parent.iterdir():
        if folder != chunks.folder:
            shutil.rmtree(folder, ignore_errors=True)
