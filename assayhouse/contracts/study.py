"""One study as declared in study.yaml: arms, visits, parameters, strata, blinding, analyses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assayhouse.contracts.documents import Document
from assayhouse.contracts.plan import Plan, read_plan
from assayhouse.errors import DeclarationError

BLINDINGS = ("none", "codes", "content")
# What a figure or table of each kind may be asked, and the parts of the plan it shows.
FIGURE_KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "time_course": ((), ()),
    "distributions": ((), ("cut_offs",)),
    "forest": (("arm", "visit"), ("subset_endpoint", "cut_offs")),
    "cut_point": (("marker",), ("cut_points",)),
    "response_bars": (("marker",), ("cut_points",)),
    "response_curve": (("marker",), ("cut_points",)),
    "subgroup_medians": (("subgroup",), ("cut_offs", "subgroups")),
    "exposure_boxes": ((), ("population_pk", "cut_offs")),
    "covariate_forest": ((), ("population_pk",)),
    "goodness_of_fit": ((), ("population_pk",)),
    "predictive_check": ((), ("population_pk",)),
}
TABLE_KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "means": ((), ()),
    "baseline_subsets": ((), ("cut_offs",)),
    "subset_differences": (("arm", "visit"), ("subset_endpoint", "cut_offs")),
    "population_parameters": ((), ("population_pk",)),
    "population_rule": ((), ("population_pk",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One planned arm; ``dose_mg`` is per administration, ``ratio`` its part in randomisation."""

    ARMCD: str
    ARM: str
    dose_mg: float | None
    is_reference: bool
    ratio: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One analysis visit: its number, window in study days, and the vendors' spellings."""

    AVISITN: int
    AVISIT: str
    target_day: int
    first_day: int
    last_day: int
    is_baseline: bool
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure to draw or table to print: its kind, its parameters, and what the kind asks."""

    figure_id: str
    kind: str
    title: str
    parameters: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that makes one study differ from another."""

    study_id: str
    title: str
    synthetic: bool
    blinding: str
    layouts: tuple[str, ...]
    arms: tuple[Arm, ...]
    visits: tuple[Visit, ...]
    other_visits: tuple[str, ...]
    visit_rule: str
    baseline_rule: str
    strata: tuple[str, ...]
    parameters: tuple[str, ...]
    treatment_words: tuple[str, ...]
    plan: Plan
    figures: tuple[Figure, ...]
    seed: int
    time_zone: str
    folder: Path | None
    printed_tables: tuple[Figure, ...] = ()

    @property
    def reference_arm(self) -> str:
        """Code of the arm that others are compared with."""
        return next(arm.ARMCD for arm in self.arms if arm.is_reference)

    @property
    def visit_terms(self) -> dict[str, str]:
        """Vendor spelling to the study's term of a visit, analysed or not."""
        terms = {name: name for name in self.other_visits}
        for visit in self.visits:
            terms |= dict.fromkeys((visit.AVISIT, *visit.spellings), visit.AVISIT)
        return terms


def _arm(document: Document) -> Arm:
    document.only("ARMCD", "ARM", "dose_mg", "reference", "ratio")
    return Arm(
        ARMCD=document.text("ARMCD"),
        ARM=document.text("ARM"),
        dose_mg=document.number("dose_mg"),
        is_reference=document.flag("reference", default=False),
        ratio=document.integer("ratio", 1),
    )


def _visit(document: Document) -> Visit:
    document.only(
        "AVISITN", "AVISIT", "target_day", "first_day", "last_day", "baseline", "spellings"
    )
    target = document.integer("target_day")
    return Visit(
        AVISITN=document.integer("AVISITN"),
        AVISIT=document.text("AVISIT"),
        target_day=target,
        first_day=document.integer("first_day", target),
        last_day=document.integer("last_day", target),
        is_baseline=document.flag("baseline", default=False),
        spellings=document.texts("spellings"),
    )


def _figure(
    document: Document, kinds: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
) -> Figure:
    document.only("id", "kind", "title", "parameters", "options")
    kind = document.choice("kind", tuple(kinds))
    options = document.part("options").only(*kinds[kind][0])
    return Figure(
        figure_id=document.text("id"),
        kind=kind,
        title=document.text("title"),
        parameters=document.texts("parameters"),
        options={key: options.raw(key) for key in options},
    )


def _require(condition: bool, path: Path, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        text = f"{path}: {message}"
        raise DeclarationError(text)


def _check_plan(study: Study, path: Path) -> None:
    plan, known = study.plan, set(study.parameters)
    named = {code for module in plan.modules for code in (module.PARAMCD, module.log2)}
    named |= {item.parameter for item in plan.cut_offs} | set(plan.effect_parameters)
    named |= {*plan.association_parameters, *plan.base_at_least}
    if plan.cut_points is not None:
        named |= set(plan.cut_points.markers)
    stray = sorted(named - known)
    _require(not stray, path, f"the plan names parameters not listed: {', '.join(stray)}.")
    arms = {arm.ARMCD for arm in study.arms}
    search = plan.cut_points
    if search is not None:
        stray = sorted({search.active, search.control, *search.validation} - arms)
        _require(not stray, path, f"cut_points names arms not listed: {', '.join(stray)}.")
    _require(
        not plan.modules or plan.expression is not None, path, "modules need an expression version."
    )


def _check_figures(study: Study, path: Path) -> None:
    shown = (*study.figures, *study.printed_tables)
    stray = {name for item in shown for name in item.parameters} - set(study.parameters)
    _require(not stray, path, f"a figure names a parameter not listed: {', '.join(sorted(stray))}.")
    names = [item.figure_id for item in shown]
    _require(len(set(names)) == len(names), path, "the id of a figure or table occurs twice.")
    kinds = {**FIGURE_KINDS, **TABLE_KINDS}
    known: dict[str, set[object]] = {
        "arm": {arm.ARMCD for arm in study.arms if not arm.is_reference},
        "visit": {visit.AVISITN for visit in study.visits},
        "subgroup": set(study.plan.subgroups),
        "marker": set(study.plan.cut_points.markers if study.plan.cut_points else ()),
    }
    for item in shown:
        options, parts = kinds[item.kind]
        lacking = [part for part in parts if not study.plan.has(part)]
        where = f"{item.figure_id} ({item.kind})"
        _require(not lacking, path, f"{where} needs {', '.join(lacking)} in the plan.")
        for option in options:
            value = item.options.get(option)
            _require(value in known[option], path, f"{where}: {option} must be one of the study's.")


def _check(study: Study, path: Path) -> None:
    _check_plan(study, path)
    _require(
        sum(a.is_reference for a in study.arms) == 1, path, "exactly one arm is the reference."
    )
    _require(
        sum(v.is_baseline for v in study.visits) == 1, path, "exactly one visit is the baseline."
    )
    codes = [arm.ARMCD for arm in study.arms]
    _require(len(set(codes)) == len(codes), path, "an ARMCD occurs twice.")
    numbers = [visit.AVISITN for visit in study.visits]
    _require(len(set(numbers)) == len(numbers), path, "an AVISITN occurs twice.")
    _check_figures(study, path)


def read_study(path: Path, *, folder: Path | None) -> Study:
    """Read ``study.yaml``.

    Raises
    ------
    DeclarationError
        A key is missing, unknown or contradicts another; the message names file and key.
    """
    document = Document.read(path).only(
        *[
            "study",
            "title",
            "synthetic",
            "blinding",
            "layouts",
            "arms",
            "visits",
            "other_visits",
            "visit_rule",
        ],
        *[
            "baseline_rule",
            "strata",
            "parameters",
            "treatment_words",
            "modules",
            "training_sets",
            "cut_offs",
            "endpoints",
            "analyses",
            "figures",
            "tables",
            "seed",
            "time_zone",
        ],
    )
    study = Study(
        study_id=document.text("study"),
        title=document.text("title"),
        synthetic=document.flag("synthetic", default=False),
        blinding=document.choice("blinding", BLINDINGS, "codes"),
        layouts=document.texts("layouts"),
        arms=tuple(_arm(part) for part in document.parts("arms")),
        visits=tuple(_visit(part) for part in document.parts("visits")),
        other_visits=document.texts("other_visits"),
        visit_rule=document.choice("visit_rule", ("name", "window"), "name"),
        baseline_rule=document.choice(
            "baseline_rule", ("last_before_first_dose", "reported_flag"), "last_before_first_dose"
        ),
        strata=document.texts("strata"),
        parameters=document.texts("parameters"),
        treatment_words=document.texts("treatment_words"),
        plan=read_plan(document),
        figures=tuple(_figure(part, FIGURE_KINDS) for part in document.parts("figures")),
        printed_tables=tuple(_figure(part, TABLE_KINDS) for part in document.parts("tables")),
        seed=document.integer("seed", 1),
        time_zone=document.text("time_zone", "UTC"),
        folder=folder,
    )
    _require(bool(study.layouts), path, "layouts must name at least one layout.")
    if study.blinding == "content":
        message = f"{path}: blinding content is not available yet; use codes or none."
        raise DeclarationError(message)
    _check(study, path)
    return study
