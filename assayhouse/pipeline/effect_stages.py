"""Relations ard.effects_imputed and ard.effects_fits, a parameter at a time, made once.

What is made of a parameter lies in a file under a name made of the very data and options it was
made from. So a delivery that changes two parameters costs two, a stopped run goes on where it
stopped, and two processes share the work. Groups of parameters are those of one assay.
"""

import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from assayhouse.analysis.spec import EffectSpec
from assayhouse.analysis.stages import (
    FIT_SCHEMA,
    IMPUTED_SCHEMA,
    fit_completed,
    impute_long,
    options_of_stage,
)
from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.effects import data_of_fits, data_of_imputation, effect_spec
from assayhouse.pipeline.provenance import spec_hash
from assayhouse.pipeline.relations import reading
from assayhouse.warehouse.home import Home, atomic_write

IMPUTED, FITS = "ard.effects_imputed", "ard.effects_fits"
_SCHEMAS = {IMPUTED: IMPUTED_SCHEMA, FITS: FIT_SCHEMA}
Tell = Callable[[str], None]


def _silent(_what: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Imputed values and fits of every parameter over one state of the data.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    spec : EffectSpec
        The method.
    data : mapping of str to frame
        Long form by parameter, with the levels of subgroups where fits are wanted.
    versions : mapping of str to str
        Code version of each relation.
    """

    folder: Path
    spec: EffectSpec
    data: Mapping[str, pl.DataFrame]
    versions: Mapping[str, str]

    def imputed(self, names: Collection[str]) -> tuple[dict[str, pl.DataFrame], frozenset[str]]:
        """Imputed values by parameter, and those parameters for which they had to be made."""
        if self.spec.population == "observed_at_visit":
            return {name: pl.DataFrame(schema=dict(IMPUTED_SCHEMA)) for name in names}, frozenset()
        spec = replace(self.spec, subgroups=())
        options = options_of_stage(spec, "imputation")
        long = {name: self.data[name].drop(self.spec.subgroups, strict=False) for name in names}
        paths = {name: self._path(IMPUTED, name, options, [long[name]]) for name in names}
        return _kept(paths, lambda new: impute_long(pl.concat(long[name] for name in new), spec))

    def fits(
        self, imputed: Mapping[str, pl.DataFrame]
    ) -> tuple[dict[str, pl.DataFrame], frozenset[str]]:
        """Fits by parameter, and those parameters for which they had to be made."""
        options = options_of_stage(self.spec, "fit")
        paths = {
            name: self._path(FITS, name, options, [self.data[name], part])
            for name, part in imputed.items()
        }

        def make(new: Collection[str]) -> pl.DataFrame:
            drawn = pl.concat(imputed[name] for name in new)
            return fit_completed(pl.concat(self.data[name] for name in new), drawn, self.spec)

        return _kept(paths, make)

    def _path(
        self,
        relation: str,
        paramcd: str,
        options: Mapping[str, object],
        frames: Iterable[pl.DataFrame],
    ) -> Path:
        told = {"options": options, "version": self.versions[relation]}
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for frame in frames:
            for piece in _bytes_of(frame):
                digest.update(piece)
        return self.folder / relation / paramcd / f"{digest.hexdigest()}.parquet"


def _bytes_of(frame: pl.DataFrame) -> Iterator[bytes]:
    """Content of a frame, column by column, exact to the last bit."""
    for name in frame.columns:
        column = frame[name]
        yield f"{name}:{column.dtype}:{len(column)}".encode()
        if isinstance(column.dtype, pl.List):
            yield column.list.len().fill_null(0).to_numpy().tobytes()
            column = column.explode()
        yield column.is_null().to_numpy().tobytes()
        if column.dtype == pl.String:
            yield "\x1f".join(column.fill_null("").to_list()).encode()
        else:
            yield column.drop_nulls().to_numpy().tobytes()


def _kept(
    paths: Mapping[str, Path], make: Callable[[Collection[str]], pl.DataFrame]
) -> tuple[dict[str, pl.DataFrame], frozenset[str]]:
    """Read what was made before; make the rest in one go and keep it, a parameter to a file."""
    new = frozenset(name for name, path in paths.items() if not path.is_file())
    found = {name: pl.read_parquet(path) for name, path in paths.items() if name not in new}
    if new:
        whole = make(sorted(new))
        for name in sorted(new):
            found[name] = whole.filter(paramcd=name)
            _keep(paths[name], found[name])
    return {name: found[name] for name in paths}, new


def _keep(path: Path, frame: pl.DataFrame) -> None:
    """Write one file whole, and remove those of former states of the data."""
    content = io.BytesIO()
    frame.write_parquet(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content.getvalue())
    for former in path.parent.glob("*.parquet"):
        if former != path:
            former.unlink(missing_ok=True)


def _parts(context: BuildContext, long: pl.DataFrame) -> Parts:
    declared = context.declarations
    parts = long.partition_by("paramcd", as_dict=True, maintain_order=True)
    return Parts(
        folder=context.home.work(declared.side(FITS)) / "effects",
        spec=effect_spec(declared.study),
        data={str(key[0]): part for key, part in sorted(parts.items())},
        versions={name: declared.tables[name].code_version for name in _SCHEMAS},
    )


def run_groups(
    home: Home, declarations: Declarations, groups: Iterable[str], *, tell: Tell = _silent
) -> dict[str, tuple[int, int]]:
    """Make imputed values and fits of the parameters of some groups, where they are not there yet.

    May run in several processes at once: what two of them make is the same.

    Returns
    -------
    dict of str to (int, int)
        By group, parameters with data and those of them for which something had to be made.
    """
    known = declarations.effect_groups
    found = {}
    with reading(home, declarations, FITS) as context:
        parts = _parts(context, data_of_fits(context))
    for group in groups:
        tell(group)
        members = [name for name in known[group] if name in parts.data]
        imputed, drawn = parts.imputed(members)
        _, fitted = parts.fits(imputed)
        found[group] = (len(members), len(drawn | fitted))
    return found


def effects_imputed(context: BuildContext) -> pl.DataFrame:
    """Draw what is missing in the study's declared effects, once for every data set."""
    parts = _parts(context, data_of_imputation(context))
    found, _ = parts.imputed(parts.data.keys())
    return _collected(context, found, options_of_stage(parts.spec, "imputation"))


def effects_fits(context: BuildContext) -> pl.DataFrame:
    """Fit every completed data set of the study's declared effects."""
    parts = _parts(context, data_of_fits(context))
    every = context.table(IMPUTED).select(*IMPUTED_SCHEMA)
    found, _ = parts.fits({name: every.filter(paramcd=name) for name in parts.data})
    return _collected(context, found, options_of_stage(parts.spec, "fit"))


def _collected(
    context: BuildContext, parts: Mapping[str, pl.DataFrame], options: Mapping[str, object]
) -> pl.DataFrame:
    schema = dict(_SCHEMAS[context.spec.relation])
    whole = pl.concat([pl.DataFrame(schema=schema), *parts.values()])
    told = whole.with_columns(pl.lit(spec_hash(options)).alias("spec_hash"))
    return context.spec.conform(told).sort(context.spec.key)
