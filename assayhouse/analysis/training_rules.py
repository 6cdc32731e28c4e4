"""Cut-offs made from a training set before a trial, with everything a reader needs to redo them.

Applying a rule to a trial never estimates it again: the trial takes the value from here.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.contracts.plan import CutOff
from assayhouse.contracts.training import TrainingSet, TrainingTable
from assayhouse.errors import DeclarationError
from assayhouse.stats.modes import CutRule, cutpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRule:
    """A cut-off as its training set makes it.

    Parameters
    ----------
    rule : str
        antimode or median.
    value : float
        As used: rounded where the cut-off says so.
    unrounded : float
        As computed.
    interval : (float, float)
        Bootstrap percentiles of the whole calculation.
    found : CutRule
        Tests, decision, hash, and the antimode with its bandwidths.
    remarks : str
        What a reader must know.
    """

    rule: str
    value: float
    unrounded: float
    interval: tuple[float, float]
    found: CutRule
    remarks: str


def make_rule(cut: CutOff, training: TrainingSet, table: TrainingTable, *, seed: int) -> MadeRule:
    """Carry out the rule of one cut-off on its training set.

    Parameters
    ----------
    cut, training, table : CutOff, TrainingSet, TrainingTable
        As declared.
    seed : int
        Of the tests and intervals.

    Raises
    ------
    DeclarationError
        The tests do not decide and nobody has, or the declared value is not what the rule gives.
    """
    values = np.array(table.values[cut.parameter])
    found = _found(cut, training, values, seed=seed)
    if cut.rule == "auto" and found.decision == "undecided":
        message = (
            f"cut-off {cut.cut_off}: the tests do not decide between antimode and median on "
            f"{training.training_set} (dip p {found.dip.p:.3g}, Silverman p "
            f"{found.silverman.p:.3g}). A person must: set rule to antimode or median."
        )
        raise DeclarationError(message)
    rule = found.rule if cut.rule == "auto" else cut.rule
    valley = found.antimode
    if rule == "antimode" and valley is not None:
        unrounded, interval = valley.value, valley.ci
    else:
        unrounded, interval = found.median, found.median_ci
    value = unrounded if cut.decimals is None else round(unrounded, cut.decimals)
    _require_declared(cut, training, value)
    return MadeRule(
        rule=rule,
        value=value,
        unrounded=unrounded,
        interval=interval,
        found=found,
        remarks="; ".join(_remarks(cut, found, rule)),
    )


def _found(cut: CutOff, training: TrainingSet, values: np.ndarray, *, seed: int) -> CutRule:
    """Ask the tests in every case; compute the antimode of a unimodal set only where declared."""
    told = {
        "alpha": training.alpha,
        "dataset_id": training.training_set,
        "n_boot": training.n_boot,
        "rng": seed,
    }
    found = cutpoint(values, **told)  # type: ignore[arg-type]
    if cut.rule == "antimode" and found.antimode is None:
        found = cutpoint(values, rule="antimode", **told)  # type: ignore[arg-type]
    if not np.isfinite(found.value):
        message = (
            f"cut-off {cut.cut_off}: {training.training_set} has {found.n} values of "
            f"{cut.parameter}, too few or too much alike for a rule."
        )
        raise DeclarationError(message)
    return found


def _require_declared(cut: CutOff, training: TrainingSet, value: float) -> None:
    if cut.value is not None and cut.value != value:
        message = (
            f"cut-off {cut.cut_off}: value {cut.value:g} is declared, {training.training_set} "
            f"gives {value:g}. Correct one of them, or give decimals."
        )
        raise DeclarationError(message)


def _remarks(cut: CutOff, found: CutRule, rule: str) -> list[str]:
    said = list(found.warnings)
    wanted = {"bimodal": "antimode", "unimodal": "median"}.get(found.decision)
    if cut.rule != "auto" and wanted != rule:
        said.append(f"the rule is declared; the tests say {found.decision}")
    return said
