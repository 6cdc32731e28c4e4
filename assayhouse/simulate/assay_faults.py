"""Faults of the assay in a vendor's feed: clean files in, faulty files and what must be found out.

Pure: no clock, no file, no global seed. A fault may be planted in one file of a feed (the controls)
and be found in another (the results of that run).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assayhouse.simulate import assay_fault_kinds as kinds
from assayhouse.simulate.assay_feed import FeedFile, take_feed_apart
from assayhouse.simulate.errors import FaultNotApplicableError, SimulationError
from assayhouse.simulate.expected import ExpectedFault

JUDGED = (
    *("covance_flow.results", "epiontis.results", "singulex.results", "dxterity.expression"),
    *("dxterity.sampleqc", "central_lab.lb", "pk_lab.pc"),
)
"""Layouts in which the faults must be found."""

_CATALOGUE: dict[str, tuple[str, Mapping[str, kinds.Kind]]] = {
    "missing control": ("no file of its feed holds controls", kinds.MISSING_CONTROL),
    "replicate CV": ("it has no replicates", kinds.REPLICATE_CV),
    "unit of the numbers": ("it has no quantity with a unit", kinds.UNIT_OF_NUMBERS),
    "unit of the label": ("its values have a fixed scale, not a unit", kinds.UNIT_OF_LABEL),
    "swapped sex factor": ("no copy factor depends on the sex", kinds.SEX_FACTOR),
    "swapped subjects": ("it says nothing of the subject that could contradict", kinds.SUBJECTS),
    "lot shift": ("it names no lot", kinds.LOT_SHIFT),
    "aged sample": ("it does not say when the specimen came", kinds.AGED_SAMPLE),
    "incomplete panel": ("each of its rows stands alone", kinds.INCOMPLETE_PANEL),
    "fused gene name": ("it names no gene", kinds.FUSED_GENE),
    "gene turned into a date": ("it names no gene", kinds.DATED_GENE),
    "impossible sums": ("none of its values is part of another", kinds.IMPOSSIBLE_SUM),
    "recomputed value": ("the row does not carry the parts of the value", kinds.RECOMPUTED),
    "sample after the dose": ("its samples are not tied to a dose", kinds.AFTER_DOSE),
}

ASSAY_FAULTS = tuple(_CATALOGUE)
"""Names of all assay faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayFault:
    """One planted fault.

    Attributes
    ----------
    changed : mapping of str to bytes
        Layout to its faulty file; the other files of the feed stay as they are.
    judged : str
        Layout in which it must be found.
    expected : ExpectedFault
        What must be found there.
    follows : mapping of str to tuple of int
        Rule to lines that are quarantined because of it, beside those expected.
    """

    changed: Mapping[str, bytes]
    judged: str
    expected: ExpectedFault
    follows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def plant(
    fault: str, judged: str, feed: Mapping[str, bytes], *, strength: float = 0.0, seed: int
) -> AssayFault:
    """Plant one fault in a clean feed.

    Parameters
    ----------
    fault : str
        One of ``ASSAY_FAULTS``.
    judged : str
        Layout whose judgement must find it, one of ``JUDGED``.
    feed : mapping of str to bytes
        Layout to clean file; those of the same vendor that the fault needs.
    strength : float
        Share of the runs, plates, specimens or rows struck, 0 to 1; 0 strikes one.
    seed : int
        Chooses what is struck.

    Raises
    ------
    FaultNotApplicableError
        The fault has no place in this layout; the message says why.
    SimulationError
        Unknown fault, or a file that is not as its layout is written.
    """
    if fault not in _CATALOGUE:
        message = f"There is no assay fault {fault}. Choose one of: {', '.join(ASSAY_FAULTS)}."
        raise SimulationError(message)
    reason, applicable = _CATALOGUE[fault]
    function: Callable[[kinds.Feed], kinds.Struck] | None = applicable.get(judged)
    if function is None:
        raise FaultNotApplicableError(fault=fault, reason=reason)
    files: dict[str, FeedFile] = {
        name: take_feed_apart(content, name) for name, content in feed.items()
    }
    struck = function(kinds.Feed(files=files, judged=judged, strength=strength, seed=seed))
    file = struck.files.get(judged, files[judged])
    together = [*struck.places, *(place for more in struck.follows.values() for place in more)]
    disposition = struck.disposition
    if disposition == "Q":
        # A text that the fault put in place of a group's name makes no group of its own.
        same = len(file.rows) == len(files[judged].rows)
        disposition = (files[judged] if same else file).disposition(together)
    return AssayFault(
        changed={name: changed.content() for name, changed in struck.files.items()},
        judged=judged,
        expected=ExpectedFault(
            fault=fault,
            disposition=disposition,
            rule=struck.rule,
            n_rows=len(struck.places),
            lines=file.lines(struck.places),
            columns=struck.columns,
        ),
        follows={rule: file.lines(places) for rule, places in struck.follows.items()},
    )
