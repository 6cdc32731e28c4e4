"""All declarations of one study, loaded and checked together: what is active, in which order.

A relation is active when a layout feeds it, directly or through its parents. A derived relation
stands on the strictest side of its parents.
"""

from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from assayhouse import paths
from assayhouse.contracts.assay_checks import AssayChecks, read_assay_checks
from assayhouse.contracts.study import Study, read_study
from assayhouse.contracts.table_spec import Field, TableSpec, raw_table, read_fields, read_table
from assayhouse.contracts.terminology import (
    Parameter,
    UnitFactor,
    read_parameters,
    read_spellings,
    read_term_table,
    read_unit_factors,
    unit_terms,
)
from assayhouse.contracts.training import TrainingTable, read_training_table
from assayhouse.contracts.vendor_file import LayoutSpec, Mapping, read_layout
from assayhouse.errors import BlindingError, DeclarationError

_OWN_TERMS = ("terms/parameters.csv", "terms/units.csv", "terms/unit_spellings.csv")
FINDINGS = "findings"  # in `parents`: every active relation of results that are analysed
MAPPED = "mapped."  # in `requires`: a shape that some layout must map to


@dataclass(frozen=True, kw_only=True)
class Declarations:
    """What the declarations of one study amount to."""

    study: Study
    fields: dict[str, Field]
    layouts: dict[str, LayoutSpec]
    declared_tables: dict[str, TableSpec]
    parameters: dict[str, Parameter]
    unit_factors: tuple[UnitFactor, ...]
    unit_spellings: dict[str, str]
    term_tables: dict[str, tuple[dict[str, str], ...]] = field(default_factory=dict)
    training: dict[str, TrainingTable] = field(default_factory=dict)

    @cached_property
    def tables(self) -> dict[str, TableSpec]:
        """Active relations in an order in which each comes after its parents."""
        raw = {spec.relation: raw_table(spec) for spec in self.layouts.values()}
        known = raw | self.declared_tables
        active = {name: known[name] for name in known if self._is_active(known[name])}
        graph = {name: set(self._parents(spec, active)) for name, spec in active.items()}
        try:
            order = tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            message = f"Relations depend on each other in a circle: {error.args[1]}."
            raise DeclarationError(message) from error
        rank = {name: position for position, name in enumerate(sorted(order))}
        sorter = TopologicalSorter(graph)
        sorter.prepare()
        settled: list[str] = []
        while sorter.is_active():
            for name in sorted(sorter.get_ready(), key=rank.__getitem__):
                settled.append(name)
                sorter.done(name)
        return {name: active[name] for name in settled}

    def _is_active(self, spec: TableSpec) -> bool:
        if spec.mapped and spec.layer == "sdtm" and not any(map(self.mappings, spec.mapped)):
            return False
        return all(self._has(name) for name in spec.requires)

    def _has(self, name: str) -> bool:
        """Whether the study has what a relation requires: a shape, a relation or a plan's part."""
        if name.startswith(MAPPED):
            return bool(self.mappings(name.removeprefix(MAPPED)))
        if name in self.declared_tables:
            return self._is_active(self.declared_tables[name])
        return self.study.plan.has(name)

    def _parents(self, spec: TableSpec, active: dict[str, TableSpec]) -> tuple[str, ...]:
        found: list[str] = []
        for parent in spec.parents:
            if parent == FINDINGS:
                found += [n for n, other in active.items() if other.domain and other.in_findings]
            elif parent in active:
                found.append(parent)
            elif parent not in self.declared_tables:
                message = f"{spec.where}: parent {parent} is not declared."
                raise DeclarationError(message)
        for name in spec.mapped:
            found += [layout.relation for layout, _ in self.mappings(name)]
        return tuple(dict.fromkeys(found))

    def parents(self, relation: str) -> tuple[str, ...]:
        """Active relations that the given one is built from."""
        return self._parents(self.tables[relation], self.tables)

    def children(self, relation: str) -> tuple[str, ...]:
        """Active relations built from the given one."""
        return tuple(name for name in self.tables if relation in self.parents(name))

    @property
    def effect_groups(self) -> dict[str, tuple[str, ...]]:
        """Parameters whose effects are estimated, by the assay that measures them."""
        found: dict[str, list[str]] = {}
        for paramcd in self.study.plan.effect_parameters or self.parameters:
            group = self.parameters[paramcd].assay.replace(" ", "_")
            found.setdefault(group, []).append(paramcd)
        return {group: tuple(members) for group, members in sorted(found.items())}

    def findings_relations(self) -> tuple[str, ...]:
        """Active relations of results that are analysed together."""
        return tuple(n for n, spec in self.tables.items() if spec.domain and spec.in_findings)

    def mappings(self, target: str) -> tuple[tuple[LayoutSpec, Mapping], ...]:
        """Layouts whose rows become rows of a mapped shape, in the order of their names."""
        return tuple(
            (layout, mapping)
            for _, layout in sorted(self.layouts.items())
            for mapping in layout.maps_to
            if mapping.relation == target
        )

    def layout_of(self, relation: str) -> LayoutSpec:
        """Layout behind a raw relation."""
        for layout in self.layouts.values():
            if layout.relation == relation:
                return layout
        message = f"{relation} is not the relation of a layout of this study."
        raise DeclarationError(message)

    def layout_order(self) -> tuple[str, ...]:
        """Layouts in an order in which each comes after those its values are checked against."""
        graph = {name: set(self.prior_layouts(name)) for name in self.layouts}
        sorter = TopologicalSorter(graph)
        try:
            sorter.prepare()
        except CycleError as error:
            message = f"Layouts refer to each other in a circle: {error.args[1]}."
            raise DeclarationError(message) from error
        order: list[str] = []
        while sorter.is_active():
            for name in sorted(sorter.get_ready()):
                order.append(name)
                sorter.done(name)
        return tuple(order)

    def prior_layouts(self, layout: str) -> tuple[str, ...]:
        """Layouts of the study whose accepted rows a layout's rows are checked against."""
        wanted = {*self.layouts[layout].references, *self.assay_checks[layout].layouts}
        return tuple(name for name in sorted(wanted - {layout}) if name in self.layouts)

    @cached_property
    def assay_checks(self) -> dict[str, AssayChecks]:
        """Assay checks of every layout; those without any have none.

        Raises
        ------
        BlindingError
            A check of an open layout looks at rows of the sealed side.
        """
        found = {}
        for name, layout in self.layouts.items():
            path = self.suite_path(layout.relation)
            found[name] = AssayChecks() if path is None else read_assay_checks(path)
            for other in found[name].layouts:
                if other not in self.layouts or self.layout_side(name) == "sealed":
                    continue
                if self.layout_side(other) == "sealed":
                    message = (
                        f"{found[name].where}: {name} is open, so its checks must not look at "
                        f"{other}, which is sealed."
                    )
                    raise BlindingError(message)
        return found

    def layout_side(self, layout: str) -> str:
        """Side on which a layout's files and rows stand under the study's blinding."""
        sealed = self.study.blinding in self.layouts[layout].sealed_under
        return "sealed" if sealed else "open"

    def side(self, relation: str) -> str:
        """Side of a relation: ``open``, ``sealed``, or ``split`` where each side has its own rows.

        Raises
        ------
        BlindingError
            A relation declared open is built from a sealed one.
        """
        return self._sides[relation]

    @cached_property
    def _sides(self) -> dict[str, str]:
        sides: dict[str, str] = {}
        for name, spec in self.tables.items():
            if spec.layer == "raw":
                sides[name] = self.layout_side(self.layout_of(name).layout)
                continue
            sealed = [parent for parent in self.parents(name) if sides[parent] == "sealed"]
            if sealed and spec.side == "open":
                message = f"{name} is declared open but built from {sealed[0]}, which is sealed."
                raise BlindingError(message)
            sides[name] = spec.side if spec.side == "split" else ("sealed" if sealed else "open")
        return sides

    @cached_property
    def terms(self) -> dict[str, dict[str, str]]:
        """Named code lists, spelling to term, for the rules of a file."""
        codes = {name: name for name in self.parameters}
        listed = {
            name: {term: term for term in (next(iter(row.values())) for row in rows)}
            for name, rows in self.term_tables.items()
        }
        return listed | {
            "visits": self.study.visit_terms,
            "units": self.unit_terms,
            "parameters": codes,
            "arms": {arm.ARMCD: arm.ARMCD for arm in self.study.arms},
        }

    @cached_property
    def unit_terms(self) -> dict[str, str]:
        """Spelling of a unit to the term used here."""
        units = [item.unit for item in self.parameters.values()]
        units += [unit for item in self.unit_factors for unit in (item.from_unit, item.to_unit)]
        return unit_terms(self.unit_spellings, units)

    def sql_path(self, relation: str) -> Path | None:
        """File with the relation's one SELECT, where it is built by SQL."""
        name = relation.replace(".", "/") + ".sql"
        return paths.overlay("sql", name, study_folder=self.study.folder).get(name)

    def suite_path(self, relation: str) -> Path | None:
        """File with the relation's plausibility rules, where there are any."""
        name = relation.replace(".", "/") + ".json"
        return paths.overlay("expectations", name, study_folder=self.study.folder).get(name)


def load(study_folder: Path | None = None) -> Declarations:
    """Load the declarations of a study folder, or of the shipped reference study.

    Parameters
    ----------
    study_folder : Path or None
        Folder with ``study.yaml`` and, where they differ, schemas, expectations and sql.

    Raises
    ------
    DeclarationError
        A declaration is missing, unreadable or contradicts another.
    """
    folder = None if study_folder is None else study_folder.resolve()
    home = paths.shipped_root() / "schemas" if folder is None else folder
    if not (home / "study.yaml").is_file():
        message = f"{home}: no study.yaml. Start a study with `assayhouse new-study {home}`."
        raise DeclarationError(message)
    study = read_study(home / "study.yaml", folder=folder)
    fields = read_fields(paths.overlay("schemas", "fields.yaml", study_folder=None)["fields.yaml"])
    extra = paths.overlay("schemas", "fields.yaml", study_folder=folder)["fields.yaml"]
    fields |= read_fields(extra)
    terms = paths.overlay("schemas", "terms/*.csv", study_folder=folder)
    parameters = _parameters(study, terms["terms/parameters.csv"])
    _require_scales(study, parameters)
    return Declarations(
        study=study,
        fields=fields,
        layouts=_layouts(study),
        declared_tables=_tables(study, fields),
        parameters=parameters,
        unit_factors=read_unit_factors(terms["terms/units.csv"]),
        unit_spellings=read_spellings(terms["terms/unit_spellings.csv"]),
        term_tables={
            path.stem: read_term_table(path)
            for name, path in sorted(terms.items())
            if name not in _OWN_TERMS
        },
        training=_training(study),
    )


def _training(study: Study) -> dict[str, TrainingTable]:
    """Read the training sets, and refuse a cut-off that its set cannot make."""
    files = paths.overlay("schemas", "training/*", study_folder=study.folder)
    found = {}
    for item in study.plan.training_sets:
        path = files.get(f"training/{item.file}")
        if path is None:
            message = (
                f"{study.study_id}: training set {item.training_set} has no file "
                f"schemas/training/{item.file}."
            )
            raise DeclarationError(message)
        found[item.training_set] = read_training_table(path)
    versions = {item.training_set: item.set_version for item in study.plan.training_sets}
    for cut in study.plan.cut_offs:
        if cut.training is None:
            continue
        if cut.training not in found or cut.parameter not in found[cut.training].values:
            message = (
                f"{study.study_id}: cut-off {cut.cut_off} is made from {cut.training}, which is "
                f"no declared training set with a column {cut.parameter}."
            )
            raise DeclarationError(message)
        if versions[cut.training] != cut.set_version:
            message = (
                f"{study.study_id}: cut-off {cut.cut_off} and its training set {cut.training} "
                "have different set_version. A rule holds for the scores it was made from."
            )
            raise DeclarationError(message)
    return found


def _layouts(study: Study) -> dict[str, LayoutSpec]:
    files = paths.overlay("schemas", "vendors/*.yaml", study_folder=study.folder)
    found = {}
    for name in study.layouts:
        path = files.get(f"vendors/{name}.yaml")
        if path is None:
            message = f"{study.study_id}: layout {name} has no file schemas/vendors/{name}.yaml."
            raise DeclarationError(message)
        found[name] = read_layout(path)
    return found


def _tables(study: Study, fields: dict[str, Field]) -> dict[str, TableSpec]:
    files = paths.overlay("schemas", "tables/*/*.yaml", study_folder=study.folder)
    specs = (read_table(path, fields) for path in files.values())
    return {spec.relation: spec for spec in specs}


def _parameters(study: Study, path: Path) -> dict[str, Parameter]:
    known = read_parameters(path)
    absent = [name for name in study.parameters if name not in known]
    if absent:
        message = f"{path}: no row for {', '.join(absent)}, which study.yaml lists. Add it."
        raise DeclarationError(message)
    return {name: known[name] for name in study.parameters}


def _require_scales(study: Study, parameters: dict[str, Parameter]) -> None:
    """Refuse a cut-off on another scale, or made with other expression rules, than the study's."""
    version = None if study.plan.expression is None else study.plan.expression.version
    for item in study.plan.cut_offs:
        scale = parameters[item.parameter].scale
        if scale != item.scale:
            message = (
                f"{study.study_id}: cut-off {item.cut_off} is on the scale {item.scale}, its "
                f"parameter {item.parameter} on {scale}. Name the parameter on the cut-off's scale."
            )
            raise DeclarationError(message)
        if item.set_version is not None and item.set_version != version:
            message = (
                f"{study.study_id}: cut-off {item.cut_off} was made with the expression rules "
                f"{item.set_version}, the study uses {version}. Set the cut-off anew."
            )
            raise DeclarationError(message)
