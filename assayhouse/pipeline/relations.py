"""One relation from its parents to its commit, and which relations are out of date.

A relation is current when its recorded inputs and code version equal what its parents and its
contract are now; nothing else decides, no clock and no file time.
"""

import hashlib
import importlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.errors import DeclarationError
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.delivery import visible_receipts
from assayhouse.warehouse import slices, sql
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Commit, Lake

Writer = Callable[[BuildContext], pl.DataFrame]
WRITTEN_BY_INTAKE = ("intake", "raw")


def derived(declarations: Declarations) -> tuple[str, ...]:
    """Relations that are built from others or from the declarations, in build order."""
    return tuple(
        name for name, spec in declarations.tables.items() if spec.layer not in WRITTEN_BY_INTAKE
    )


def _named(text: str, spec: TableSpec) -> Callable[..., Any]:
    module, _, name = text.partition(":")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{spec.where}: {text} is not a function of this version."
        raise DeclarationError(message) from error
    return function


def _writer(spec: TableSpec) -> Writer:
    return _named(spec.writer or "", spec)


def recipe(declarations: Declarations, relation: str) -> str:
    """Identity of what builds a relation: code version, and the text of its SQL or the study."""
    spec = declarations.tables[relation]
    path = declarations.sql_path(relation)
    parts = [spec.code_version, *spec.columns, *(path.read_text("utf-8") if path else "",)]
    if spec.writer is not None:
        parts += [spec.writer, repr(_read_of_study(declarations, spec))]
        if spec.layer == "ref":
            parts += [repr(declarations.parameters), repr(declarations.unit_factors)]
            parts += [table.sha256 for _, table in sorted(declarations.training.items())]
    for shape in spec.mapped:
        for layout, mapping in declarations.mappings(shape):
            parts += [repr(mapping), *_instrument_recipe(declarations, layout)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def _instrument_recipe(declarations: Declarations, layout: LayoutSpec) -> list[str]:
    """List how the instrument files of a layout are declared to be reduced."""
    spec = layout.instrument
    if spec is None:
        return []
    factors = None if spec.qpcr is None else declarations.term_tables.get(spec.qpcr.factors or "")
    return [repr(spec), repr(factors)]


def _read_of_study(declarations: Declarations, spec: TableSpec) -> object:
    """Take what a writer may read of the study: all but the method of effects, or what it names."""
    study = declarations.study
    if spec.reads is not None:
        return _named(spec.reads, spec)(study)
    return replace(study, folder=None, plan=replace(study.plan, effects={}))


def inputs_of(
    lake: Lake,
    declarations: Declarations,
    relation: str,
    *,
    visible: frozenset[int] | None = None,
) -> dict[str, str]:
    """Content hash of every parent as it is now; of raw relations what is visible only.

    Who asks about many relations gives ``visible``, so that the register is read once.
    """
    visible = visible_receipts(lake.home) if visible is None else visible
    found = {}
    for parent in declarations.parents(relation):
        if declarations.tables[parent].layer == "raw":
            found[parent] = lake.visible_hash(parent, visible)
            continue
        head = lake.head(parent)
        found[parent] = "" if head is None else head.content_hash
    return found


def is_current(
    lake: Lake,
    declarations: Declarations,
    relation: str,
    *,
    visible: frozenset[int] | None = None,
) -> bool:
    """Whether building the relation again would start from the same inputs and the same recipe."""
    head = lake.head(relation)
    return (
        head is not None
        and head.code_version == recipe(declarations, relation)
        and head.inputs == inputs_of(lake, declarations, relation, visible=visible)
    )


def stale(home: Home, declarations: Declarations) -> tuple[str, ...]:
    """Relations whose inputs or recipe have changed since they were built, in build order.

    Building one of them may, or may not, change its content and so put its children out of date:
    ask again after each build.
    """
    lake, visible = Lake(home, declarations), visible_receipts(home)
    return tuple(
        relation
        for relation in derived(declarations)
        if not is_current(lake, declarations, relation, visible=visible)
    )


@contextmanager
def reading(home: Home, declarations: Declarations, relation: str) -> Iterator[BuildContext]:
    """Open what one relation is built from: its contract and its parents as they are now."""
    lake = Lake(home, declarations)
    sealed = declarations.side(relation) == "sealed"
    with lake.connect(visible=visible_receipts(home), sealed=sealed, made=relation) as connection:
        yield BuildContext(
            home=home,
            declarations=declarations,
            spec=declarations.tables[relation],
            connection=connection,
            inputs=inputs_of(lake, declarations, relation),
        )


def build_relation(home: Home, declarations: Declarations, relation: str) -> Commit:
    """Build one relation from its parents and commit it; equal content makes no new version.

    A large relation that declares ``slices`` or ``in_parts`` is made and written part by part.

    Raises
    ------
    DeclarationError
        The relation is not one that this function builds, or its result breaks its contract.
    """
    if relation not in derived(declarations):
        message = f"{relation} is not built from other relations of this study."
        raise DeclarationError(message)
    lake, version = Lake(home, declarations), recipe(declarations, relation)
    with reading(home, declarations, relation) as context:
        if _is_large(lake, declarations, relation):
            with _parts(context) as frames:
                return lake.publish_parts(
                    relation, frames, inputs=context.inputs, code_version=version
                )
        frame = made(context)
    return lake.publish(relation, frame, inputs=context.inputs, code_version=version)


def _is_large(lake: Lake, declarations: Declarations, relation: str) -> bool:
    """Whether a relation that may be built in parts has sources for more than one."""
    spec = declarations.tables[relation]
    if spec.slices is None and spec.in_parts is None:
        return False
    heads = (lake.head(parent) for parent in declarations.parents(relation))
    return sum(head.rows for head in heads if head is not None) > slices.SLICE_ROWS


@contextmanager
def _parts(context: BuildContext) -> Iterator[Iterator[pl.DataFrame]]:
    """Rows of a relation, part by part in key order; the same as made at once."""
    declarations, spec = context.declarations, context.spec
    rows = slices.SLICE_ROWS
    if spec.in_parts is not None:
        with closing(_named(spec.in_parts, spec)(context, rows=rows)) as frames:
            yield frames
        return
    scratch = context.home.scratch_name(declarations.side(spec.relation))
    with slices.sliced(context.connection, declarations, spec, scratch=scratch, rows=rows) as shown:
        yield (made(context) for _ in shown)


def made(context: BuildContext) -> pl.DataFrame:
    """Rows of a relation, by its query or its writer."""
    spec = context.spec
    if spec.writer is None:
        return sql.build(context.connection, context.declarations, spec.relation)
    return _writer(spec)(context)


def fingerprint(home: Home, declarations: Declarations) -> dict[str, str]:
    """Content hash of every relation and side: what two homes must agree in to be the same."""
    lake = Lake(home, declarations)
    return {
        f"{commit.side}/{name}": commit.content_hash
        for name in declarations.tables
        for commit in lake.heads(name)
    }
