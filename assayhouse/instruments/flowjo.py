"""FlowJo 10 workspaces: the populations of every sample, their stored counts, and their gates.

Counts are read from the sample's own tree: a group repeats its populations with other numbers.
Stored counts may be stale; they are given as stored, and recomputed only when asked.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs import FcsFile
from assayhouse.instruments.flowjo_gates import BOOLEAN, MATRIX, Population, read_axes, read_gate
from assayhouse.instruments.gate_tree import EventAxes, evaluate
from assayhouse.instruments.gates import BoolArray, Gate, Matrix
from assayhouse.instruments.gating_ml_parts import damaged
from assayhouse.instruments.registry import PathLike
from assayhouse.instruments.unique_names import unique_name
from assayhouse.instruments.xml_tree import Element, attribute, child, children, local, parse_xml

OLDEST_MAJOR = 10
_COUNT = re.compile(r"^-?[0-9]{1,15}$")
_HEAD_BYTES = 1 << 16
_ROOT = re.compile(rb"<Workspace\b[^>]*>", re.DOTALL)
_VERSION = re.compile(rb'flowJoVersion="([^"]{0,40})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTree:
    """Populations of one sample, keyed by their path below the root."""

    counts: dict[str, int]
    gates: dict[str, Gate]
    matrices: dict[str, Matrix]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Samples of a FlowJo 10 workspace.

    Parameters
    ----------
    trees : mapping of str to SampleTree
        By the sample's name, made unique by the suffixes ``_2``, ``_3``.
    version : str
        FlowJo's version.
    """

    trees: Mapping[str, SampleTree]
    version: str = ""

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of the samples in file order."""
        return tuple(self.trees)

    def stored_counts(self, sample: str) -> dict[str, int]:
        """Give the counts as FlowJo stored them: -1 where it never computed one, and perhaps stale.

        Parameters
        ----------
        sample : str
            One of ``samples``.

        Returns
        -------
        dict of str to int
            By path below the root, as ``Singlets/Live``; a slash inside a name is ``%2F``.
        """
        return dict(self._tree(sample).counts)

    def apply(self, sample: str, fcs: FcsFile) -> dict[str, BoolArray]:
        """Say which events lie in which population.

        Parameters
        ----------
        sample : str
            One of ``samples``.
        fcs : FcsFile
            The file that was gated, decoded.

        Returns
        -------
        dict of str to (n_events,) boolean array
            With the keys of ``stored_counts``.

        Raises
        ------
        InstrumentFileError
            ``unsupported_feature`` (a kind of gate or scale that is not evaluated, by name) or
            ``damaged`` (the file lacks a channel).
        """
        return evaluate(self.gates(sample), self.axes(sample, fcs))

    def gates(self, sample: str) -> Mapping[str, Gate]:
        """Give the gates of a sample, with the keys of ``stored_counts``."""
        return self._tree(sample).gates

    def axes(self, sample: str, fcs: FcsFile) -> EventAxes:
        """Give the values of a file's events along the axes of a sample's gates."""
        tree = self._tree(sample)
        return EventAxes(_named_as_in_flowjo(fcs, tree), tree.matrices)

    def _tree(self, sample: str) -> SampleTree:
        if sample not in self.trees:
            message = f"the workspace has no sample {sample!r}; it has {len(self.trees)} others"
            raise InstrumentFileError(message, code="damaged")
        return self.trees[sample]


def _named_as_in_flowjo(fcs: FcsFile, tree: SampleTree) -> FcsFile:
    """FlowJo writes an underscore where a channel's name has a slash."""
    used = {
        dimension.channel
        for gate in tree.gates.values()
        for dimension in getattr(gate.region, "dimensions", ())
    }
    names = tuple(
        name if name in used or "/" not in name else name.replace("/", "_") for name in fcs.channels
    )
    return fcs if names == fcs.channels else dataclasses.replace(fcs, channels=names)


def read_workspace(path: PathLike) -> Workspace:
    """Read a FlowJo 10 workspace.

    Parameters
    ----------
    path : path
        The ``.wsp`` file; its name is not looked at.

    Raises
    ------
    InstrumentFileError
        ``not_flowjo``, ``unsupported_version`` (which the message names), ``damaged``, and what
        the XML itself is refused for.
    """
    content = Path(path).read_bytes()
    version = _version(content)
    root = parse_xml(content)
    if local(root) != "Workspace":
        raise _not_flowjo()
    held = child(root, "SampleList")
    trees: dict[str, SampleTree] = {}
    seen: dict[str, int] = {}
    for sample in children(held, "Sample") if held is not None else ():
        node = child(sample, "SampleNode")
        if node is not None:
            name = attribute(node, "name") or ""
            trees[unique_name(name, trees, seen)] = _tree(sample, node)
    return Workspace(trees=trees, version=version)


def _not_flowjo() -> InstrumentFileError:
    message = "the file is no FlowJo workspace; nothing was read"
    return InstrumentFileError(message, code="not_flowjo")


def _version(content: bytes) -> str:
    """Version by the root element's text: workspaces before 10 are not even valid XML."""
    root = _ROOT.search(content[:_HEAD_BYTES])
    if root is None:
        raise _not_flowjo()
    found = _VERSION.search(root[0])
    version = found[1].decode("utf-8", errors="replace") if found else ""
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major[:4]) < OLDEST_MAJOR:
        message = (
            f"the workspace is of FlowJo {version or 'of an unnamed version'}; version "
            f"{OLDEST_MAJOR} and later are read: save it with one of these"
        )
        raise InstrumentFileError(message, code="unsupported_version")
    return version


def _tree(sample: Element, node: Element) -> SampleTree:
    known = read_axes(sample)
    populations: dict[str, Population] = {}
    _collect(node, None, populations, {})
    by_raw_path: dict[str, str] = {}
    for each in populations.values():
        by_raw_path.setdefault(each.raw, each.path)
    return SampleTree(
        counts={path: _count(each.element) for path, each in populations.items()},
        gates={path: read_gate(each, known, by_raw_path) for path, each in populations.items()},
        matrices={} if known.matrix is None else {MATRIX: known.matrix},
    )


def _collect(
    node: Element,
    above: Population | None,
    found: dict[str, Population],
    seen: dict[str, int],
) -> None:
    """Collect the populations below a node, in file order; the parser has bounded the depth."""
    for held in children(node, "Subpopulations"):
        for element in children(held, "Population", *BOOLEAN):
            name = attribute(element, "name") or ""
            key = name.replace("/", "%2F")
            each = Population(
                path=unique_name(key if above is None else f"{above.path}/{key}", found, seen),
                raw=name if above is None else f"{above.raw}/{name}",
                parent=None if above is None else above.path,
                element=element,
            )
            found[each.path] = each
            _collect(element, each, found, seen)


def _count(element: Element) -> int:
    text = attribute(element, "count")
    if text is None:
        return -1
    if _COUNT.match(text) is None:
        raise damaged(what="a population's count is no whole number")
    return int(text)
