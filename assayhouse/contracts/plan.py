"""The analysis plan of a study: modules, cut-offs, endpoints, searches. Computes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assayhouse.contracts.documents import Document
from assayhouse.contracts.training import TrainingSet, read_training_set
from assayhouse.errors import DeclarationError

RULES = ("antimode", "median", "fixed")
MADE = ("antimode", "median", "auto")
LEVELS = ("high", "low")
SUBJECT_RULES = ("quantifiable", "observed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """How gene expression becomes a module's score; every score carries the version."""

    version: str
    references: tuple[str, ...]
    signal: str
    max_censored_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A set of genes with its two parameters: ratio scale, and log2 scale for cut-offs."""

    PARAMCD: str
    log2: str
    genes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """A cut-off fixed before the trial: low <= value < high, on one scale and no other.

    Where it names a ``training`` set, the rule is carried out on that set, rounded to
    ``decimals``; a ``value`` beside it is what the rule must give.
    """

    cut_off: str
    label: str
    parameter: str
    scale: str
    rule: str
    value: float | None
    level_of_interest: str
    set_version: str | None
    source: str
    training: str | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A response of yes or no: as reported, derived anew from components, gaps filled."""

    PARAMCD: str
    PARAM: str
    visits: tuple[int, ...]
    components: tuple[str, ...]
    reported: str | None
    rederived: str | None
    non_responder_if: str | None
    missing_is_non_responder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A yes-or-no property of a subject at baseline, from concomitant medication."""

    factor: str
    label: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPointSearch:
    """Search for a predictive cut point over bootstrap samples, and its validation."""

    markers: tuple[str, ...]
    endpoint: str
    visit: int
    active: str
    control: str
    validation: tuple[str, ...]
    chunks: int
    options: Mapping[str, object]

    @property
    def parts(self) -> dict[str, tuple[str, int]]:
        """Every chunk of every marker, by the name an orchestrator gives the partition."""
        return {
            f"{marker}-{chunk:02d}": (marker, chunk)
            for marker in self.markers
            for chunk in range(self.chunks)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pharmacokinetics:
    """The drug's concentration, and what its exposure is compared with."""

    analyte: str
    response_visit: int
    predose_max_hours: float
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationModel:
    """A population model of the drug, whom it is fitted to, and what is asked of it.

    Attributes
    ----------
    model : mapping
        The model, in the form of `assayhouse.pk.ModelSpec.from_dict`.
    subject_rule : str
        Who is analysed: ``quantifiable`` or ``observed``; the other is the sensitivity run.
    disease : str
        State of health of the trial's own subjects, where earlier studies are pooled.
    dose_effect : mapping
        Covariate effect of the dose, added alone to see whether clearance follows the dose.
    full : tuple of mapping
        Covariate effects that are added together for the covariate forest.
    forest : str
        Parameter whose covariates are shown.
    level, band
        Of the intervals of forest and dose proportionality; ratios without consequence.
    starts, replicates : int
        Starts of a search, simulated trials of a predictive check.
    limits : tuple of float
        Higher limits of quantification, in the samples' unit, at which both choices of subjects
        are fitted again.
    """

    model: Mapping[str, object]
    subject_rule: str
    disease: str
    dose_effect: Mapping[str, object]
    full: tuple[Mapping[str, object], ...]
    forest: str
    level: float
    band: tuple[float, float]
    starts: int
    replicates: int
    limits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a study analyses beyond values by visit; an absent part makes its relations absent."""

    expression: Expression | None = None
    modules: tuple[Module, ...] = ()
    training_sets: tuple[TrainingSet, ...] = ()
    cut_offs: tuple[CutOff, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    effects: Mapping[str, object] = field(default_factory=dict)
    effect_parameters: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    base_at_least: Mapping[str, float] = field(default_factory=dict)
    subset_endpoint: str | None = None
    association_parameters: tuple[str, ...] = ()
    association_with: tuple[str, ...] = ()
    factors: tuple[Factor, ...] = ()
    cut_points: CutPointSearch | None = None
    pharmacokinetics: Pharmacokinetics | None = None
    population_pk: PopulationModel | None = None
    overdue_days: int = 14

    def has(self, part: str) -> bool:
        """Whether a part is declared.

        Raises
        ------
        DeclarationError
            A plan has no part of this name.
        """
        if part not in self.__slots__:
            message = f"requires: {part} is neither a relation, a mapped shape nor part of a plan."
            raise DeclarationError(message)
        return bool(getattr(self, part))

    def endpoint(self, paramcd: str) -> Endpoint:
        """Endpoint by its code."""
        return next(item for item in self.endpoints if paramcd == item.PARAMCD)

    def cut_off(self, name: str) -> CutOff:
        """Cut-off by its name."""
        return next(item for item in self.cut_offs if item.cut_off == name)


def _expression(document: Document) -> Expression | None:
    if "version" not in document:
        return None
    document.only("version", "references", "signal", "max_censored_pct")
    limit = document.number("max_censored_pct")
    return Expression(
        version=document.text("version"),
        references=document.texts("references"),
        signal=document.choice("signal", ("area", "height"), "area"),
        max_censored_pct=50.0 if limit is None else limit,
    )


def _module(document: Document) -> Module:
    document.only("PARAMCD", "log2", "genes")
    return Module(
        PARAMCD=document.text("PARAMCD"),
        log2=document.text("log2"),
        genes=document.texts("genes"),
    )


def _cut_off(document: Document) -> CutOff:
    document.only(
        *("id", "label", "parameter", "scale", "rule", "value", "level_of_interest"),
        *("set_version", "source", "training", "decimals"),
    )
    value, training = document.number("value"), document.optional_text("training")
    if value is None and training is None:
        message = f"{document.where}: value is required. Add it, or name a training set."
        raise DeclarationError(message)
    known, usual = (RULES, "fixed") if training is None else (MADE, "auto")
    return CutOff(
        cut_off=document.text("id"),
        label=document.text("label"),
        parameter=document.text("parameter"),
        scale=document.text("scale"),
        rule=document.choice("rule", known, usual),
        value=value,
        level_of_interest=document.choice("level_of_interest", LEVELS, "high"),
        set_version=document.optional_text("set_version"),
        source=document.text("source"),
        training=training,
        decimals=document.integer("decimals") if "decimals" in document else None,
    )


def _integers(document: Document, key: str) -> tuple[int, ...]:
    return tuple(int(item) for item in document.texts(key))


def _endpoint(document: Document) -> Endpoint:
    document.only(
        *("PARAMCD", "PARAM", "visits", "components", "reported", "rederived"),
        *("non_responder_if", "missing"),
    )
    missing = document.choice("missing", ("non_responder", "missing"), "missing")
    return Endpoint(
        PARAMCD=document.text("PARAMCD"),
        PARAM=document.text("PARAM"),
        visits=_integers(document, "visits"),
        components=document.texts("components"),
        reported=document.optional_text("reported"),
        rederived=document.optional_text("rederived"),
        non_responder_if=document.optional_text("non_responder_if"),
        missing_is_non_responder=missing == "non_responder",
    )


def _factor(document: Document) -> Factor:
    document.only("id", "label", "where")
    return Factor(
        factor=document.text("id"), label=document.text("label"), where=document.text("where")
    )


def _options(document: Document) -> dict[str, object]:
    return {key: document.raw(key) for key in document}


def _cut_points(document: Document) -> CutPointSearch | None:
    if "markers" not in document:
        return None
    document.only(
        *("markers", "endpoint", "visit", "active", "control", "validation", "chunks", "options")
    )
    return CutPointSearch(
        markers=document.texts("markers"),
        endpoint=document.text("endpoint"),
        visit=document.integer("visit"),
        active=document.text("active"),
        control=document.text("control"),
        validation=document.texts("validation"),
        chunks=document.integer("chunks", 20),
        options=_options(document.part("options")),
    )


def _pharmacokinetics(document: Document) -> Pharmacokinetics | None:
    if "analyte" not in document:
        return None
    document.only("analyte", "response_visit", "predose_max_hours", "options", "population")
    hours = document.number("predose_max_hours")
    return Pharmacokinetics(
        analyte=document.text("analyte"),
        response_visit=document.integer("response_visit"),
        predose_max_hours=30.0 if hours is None else hours,
        options=_options(document.part("options")),
    )


def _population(document: Document) -> PopulationModel | None:
    if "model" not in document:
        return None
    document.only(
        *("model", "subject_rule", "disease", "dose_effect", "full", "forest", "level", "band"),
        *("starts", "replicates", "limits"),
    )
    level = document.number("level")
    low, high = document.numbers("band") or (0.8, 1.25)
    return PopulationModel(
        model=_options(document.part("model")),
        subject_rule=document.choice("subject_rule", SUBJECT_RULES, "quantifiable"),
        disease=document.text("disease", ""),
        dose_effect=_options(document.part("dose_effect")),
        full=tuple(map(_options, document.parts("full"))),
        forest=document.text("forest", ""),
        level=0.9 if level is None else level,
        band=(low, high),
        starts=document.integer("starts", 1),
        replicates=document.integer("replicates", 200),
        limits=document.numbers("limits"),
    )


def _base_at_least(document: Document) -> dict[str, float]:
    """Read, by parameter, the lowest baseline of who is analysed, in its unit."""
    found = {name: document.number(name) for name in document}
    return {name: value for name, value in found.items() if value is not None}


_OF_EFFECTS = ("parameters", "subgroups", "base_at_least")


def read_plan(document: Document) -> Plan:
    """Read the parts of a plan from ``study.yaml``, from modules to analyses.

    Raises
    ------
    DeclarationError
        A key is missing, unknown or of the wrong kind.
    """
    modules = document.part("modules").only("expression", "scores")
    analyses = document.part("analyses").only(
        *("effects", "subsets", "baseline_associations", "cut_points", "pharmacokinetics"),
        "reconciliation",
    )
    effects = analyses.part("effects")
    associations = analyses.part("baseline_associations").only("parameters", "with", "factors")
    return Plan(
        expression=_expression(modules.part("expression")),
        modules=tuple(map(_module, modules.parts("scores"))),
        training_sets=tuple(map(read_training_set, document.parts("training_sets"))),
        cut_offs=tuple(map(_cut_off, document.parts("cut_offs"))),
        endpoints=tuple(map(_endpoint, document.parts("endpoints"))),
        effects={k: v for k, v in _options(effects).items() if k not in _OF_EFFECTS},
        effect_parameters=effects.texts("parameters"),
        subgroups=effects.texts("subgroups"),
        base_at_least=_base_at_least(effects.part("base_at_least")),
        subset_endpoint=analyses.part("subsets").only("endpoint").optional_text("endpoint"),
        association_parameters=associations.texts("parameters"),
        association_with=associations.texts("with"),
        factors=tuple(map(_factor, associations.parts("factors"))),
        cut_points=_cut_points(analyses.part("cut_points")),
        pharmacokinetics=_pharmacokinetics(analyses.part("pharmacokinetics")),
        population_pk=_population(analyses.part("pharmacokinetics").part("population")),
        overdue_days=analyses.part("reconciliation")
        .only("overdue_days")
        .integer("overdue_days", 14),
    )
