"""Every option of an effect analysis in one frozen record. Holds no arithmetic."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, fields
from typing import Any

import numpy as np

from assayhouse.analysis.spec_checks import coerce, require, require_known, require_words
from assayhouse.stats.psi import PHI75
from assayhouse.stats.sandwich import COVARIANCES

RESPONSES = ("abs", "chg", "pchg", "log")

RESULT_COLUMNS = (
    "paramcd", "avisitn", "response", "subgroup", "term", "arm", "estimate", "se", "df",
    "statistic", "ci_lo", "ci_hi", "p", "p_adj", "family", "fmi", "riv", "lambda", "mc_error",
    "m", "n", "n_observed", "n_imputed", "pct_blq", "converged_share", "status", "reasons",
    "spec_hash",
)  # fmt: skip

_WORDS: Mapping[str, Collection[str]] = {
    "population": ("baseline_observed", "observed_at_visit"),
    "psi": ("huber", "bisquare", "ols"),
    "scale": ("mad", "proposal2"),
    "covariance": COVARIANCES,
    "weights": ("om", "equal"),
    "df_method": ("barnard_rubin", "rubin1987"),
    "multiplicity": ("none", "holm", "hochberg", "bh", "by", "bonferroni"),
    "blq_rule": ("lloq/2", "lloq/sqrt2", "censored"),
}
_IMPUTE_WORDS: Mapping[str, Collection[str]] = {
    "method": ("fcs_norm", "monotone", "mvn", "none"),
    "scale": ("log", "raw"),
    "strategy": ("MAR", "J2R", "CR", "CIR", "LMCF"),
}

_NUMBERS = (
    "tuning",
    "mad_constant",
    "tolerance",
    "lambda_floor",
    "conf_level",
    "blq_limit",
)
_RESERVED = frozenset({"usubjid", "arm", "paramcd", "avisitn", "aval", "base", "blq", "lloq"})


@dataclass(frozen=True, slots=True)
class ImputeSpec:
    """How missing values are filled.

    Parameters
    ----------
    method : {"fcs_norm", "monotone", "mvn", "none"}
        Chained equations; sequential regressions; a mixed model for repeated measures with
        bootstrap draws; ``none`` analyses what was observed.
    scale : {"log", "raw"}
        Scale of the normal model.
    m : int
        Number of imputations.
    sweeps : int
        Passes of the chained equations.
    by_arm : bool
        Arm-by-arm models instead of arms as predictors; with ``mvn`` a covariance per arm.
    strategy : {"MAR", "J2R", "CR", "CIR", "LMCF"}
        What is assumed after the last visit with a value. Only ``mvn`` can carry another than
        MAR, so it takes the place of ``fcs_norm``, in the spec as well.
    delta : float, optional
        Added on the model's scale to missing values of every arm but the reference.
    seed : int
        Of the random streams.
    """

    method: str = "fcs_norm"
    _: KW_ONLY
    scale: str = "log"
    m: int = 100
    sweeps: int = 5
    by_arm: bool = True
    strategy: str = "MAR"
    delta: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        require_words(self, _IMPUTE_WORDS)
        coerce(self, integers=("m", "sweeps", "seed"), numbers=("delta",))
        if self.strategy != "MAR" and self.method == "fcs_norm":
            object.__setattr__(self, "method", "mvn")
        require(
            ok=self.strategy == "MAR" or self.method == "mvn",
            message=f'impute.strategy={self.strategy!r} goes with impute.method="mvn".',
        )
        ok = self.delta is None or bool(np.isfinite(self.delta))
        require(ok=ok, message="impute.delta must be a finite number.")
        require(ok=self.seed >= 0, message=f"impute.seed={self.seed} must be at least 0.")
        require(ok=self.m >= 1, message=f"impute.m={self.m} must be at least 1.")
        require(ok=self.sweeps >= 1, message=f"impute.sweeps={self.sweeps} must be at least 1.")

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, for a file.

        Returns
        -------
        dict
            `from_dict` makes the same spec of it.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> "ImputeSpec":
        """Make a spec of what `to_dict` returned, or a file holds.

        Parameters
        ----------
        options : mapping
            Options left out take their defaults.

        Returns
        -------
        ImputeSpec
            Checked.

        Raises
        ------
        ModelDataError
            An option that does not exist, or a value it cannot take.
        """
        require_known(options, {item.name for item in fields(cls)}, what="impute")
        return cls(**options)


@dataclass(frozen=True, slots=True)
class EffectSpec:
    """All options of an effect analysis; equal specs have equal hashes.

    Parameters
    ----------
    reference : str
        Arm that the others are compared with.
    responses : tuple of {"abs", "chg", "pchg", "log"}
        Each is a model of its own.
    visits : tuple of int, optional
        AVISITN to analyse; all that a parameter has when left out.
    strata : tuple of str
        Stratification factors, columns of the data.
    population : {"baseline_observed", "observed_at_visit"}
        With imputation, or subjects with a value at the visit only.
    psi, tuning, scale, mad_constant, covariance, variance_ddof, tolerance, max_iterations
        As in `assayhouse.stats.robust.m_regression`.
    weights : {"om", "equal"}
        As in `assayhouse.stats.contrasts.contrast_matrix`.
    df_method, lambda_floor, conf_level
        Of pooling; conf_level of every interval.
    multiplicity, family
        Adjustment, and the result columns in which the rows adjusted together are equal.
    blq_rule : {"lloq/2", "lloq/sqrt2", "censored"}
        What stands for a value below the limit of quantification.
    blq_limit : float
        Share of BLQ values above which a comparison is refused; 1 refuses none.
    impute : ImputeSpec
        Imputation.
    subgroups : tuple of str
        Columns of the data; one analysis per level beside the whole.
    """

    reference: str
    _: KW_ONLY
    responses: tuple[str, ...] = RESPONSES
    visits: tuple[int, ...] | None = None
    strata: tuple[str, ...] = ()
    population: str = "baseline_observed"
    psi: str = "huber"
    tuning: float | None = None
    scale: str = "mad"
    mad_constant: float = PHI75
    covariance: str = "h1"
    variance_ddof: int = 0
    tolerance: float = 1e-10
    max_iterations: int = 2000
    weights: str = "om"
    df_method: str = "barnard_rubin"
    lambda_floor: float = 0.0
    conf_level: float = 0.95
    multiplicity: str = "none"
    family: tuple[str, ...] | None = None
    blq_rule: str = "lloq/2"
    blq_limit: float = 0.5
    impute: ImputeSpec = ImputeSpec()
    subgroups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_words(self, _WORDS)
        coerce(
            self,
            integers=("variance_ddof", "max_iterations"),
            numbers=_NUMBERS,
            lists=("responses", "visits", "strata", "family", "subgroups"),
        )
        _check_ranges(self)
        _check_lists(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, for a file or a run's record.

        Returns
        -------
        dict
            Numbers, text, lists and one mapping; `from_dict` makes the same spec of it.
        """
        plain = asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in plain.items()}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> "EffectSpec":
        """Make a spec of what `to_dict` returned, or a file holds.

        Parameters
        ----------
        options : mapping
            ``reference`` is required; options left out take their defaults.

        Returns
        -------
        EffectSpec
            Checked.

        Raises
        ------
        ModelDataError
            An option that does not exist, or a value it cannot take.
        """
        require_known(options, {item.name for item in fields(cls)}, what="effects")
        require(ok="reference" in options, message="The spec names no reference arm; add it.")
        chosen = dict(options)
        impute = chosen.get("impute", ImputeSpec())
        if isinstance(impute, Mapping):
            chosen["impute"] = ImputeSpec.from_dict(impute)
        return cls(**chosen)

    def spec_hash(self) -> str:
        """Fingerprint of all options.

        Returns
        -------
        str
            SHA-256 of `to_dict` as JSON with sorted keys and no spaces, in hexadecimal.
        """
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def _check_ranges(spec: EffectSpec) -> None:
    require(
        ok=isinstance(spec.reference, str) and bool(spec.reference),
        message="reference must be the name of an arm; in a file a number stands in quotes.",
    )
    for name in ("tuning", "mad_constant", "tolerance", "max_iterations"):
        value = getattr(spec, name)
        ok = value is None or (np.isfinite(value) and value > 0)
        require(ok=ok, message=f"{name}={value} must be above zero.")
    require(ok=spec.variance_ddof in {0, 1}, message="variance_ddof must be 0 or 1.")
    require(ok=0 < spec.conf_level < 1, message="conf_level must lie between 0 and 1.")
    require(ok=0 <= spec.blq_limit <= 1, message="blq_limit must lie from 0 to 1.")
    require(ok=0 <= spec.lambda_floor < 1, message="lambda_floor must lie from 0 to below 1.")
    require(
        ok=isinstance(spec.impute, ImputeSpec),
        message="impute must be an ImputeSpec; in a file a mapping, as {m: 100}.",
    )


def _check_lists(spec: EffectSpec) -> None:
    for name in ("responses", "visits", "strata", "family", "subgroups"):
        values = getattr(spec, name) or ()
        require(
            ok=len(set(values)) == len(values), message=f"{name} names something more than once."
        )
    known = set(spec.responses) <= set(RESPONSES) and bool(spec.responses)
    require(ok=known, message=f"responses must be one or more of {', '.join(RESPONSES)}.")
    for name in (*spec.strata, *spec.subgroups):
        require(
            ok=name not in _RESERVED,
            message=f"Column {name!r} has a meaning of its own and cannot be a factor or subgroup.",
        )
    require(
        ok=spec.multiplicity == "none" or bool(spec.family),
        message=(
            f"multiplicity={spec.multiplicity!r} needs a declared family: name the result columns "
            'in which rows adjusted together are equal, for example ("avisitn", "response").'
        ),
    )
    require(
        ok=set(spec.family or ()) <= set(RESULT_COLUMNS),
        message="family names something that is not a result column.",
    )
    require(
        ok=(spec.population == "observed_at_visit") == (spec.impute.method == "none"),
        message=(
            'population="observed_at_visit" goes with impute=ImputeSpec(method="none"), '
            "and only with it."
        ),
    )
