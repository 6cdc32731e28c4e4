"""Binds the latest versions into a publication, after checking that they belong together."""

from assayhouse.contracts.declarations import Declarations
from assayhouse.errors import WarehouseError
from assayhouse.warehouse import publications, records
from assayhouse.warehouse.content import combine
from assayhouse.warehouse.home import Home, exclusive
from assayhouse.warehouse.publications import Pin, Publication
from assayhouse.warehouse.window import record_key, sides_of

_WAIT_SECONDS = 30.0


def _pin(
    home: Home, declarations: Declarations, relation: str, side: str, visible: frozenset[int]
) -> Pin | None:
    head = records.read_head(home.lake(relation, side))
    if head is None:
        return None
    record = head.record
    content, rows = record.content_hash, record.rows
    spec = declarations.tables[relation]
    if spec.segment is not None:
        seen = {n: item for n, item in record.segments.items() if n in visible}
        content = combine({n: item.digest for n, item in seen.items()}, spec)
        rows = sum(item.rows for item in seen.values())
    return Pin(
        relation=relation,
        side=side,
        version=head.version,
        content_hash=content,
        rows=rows,
        record_key=record_key(declarations, relation),
        inputs=tuple(sorted(record.inputs.items())),
        code_version=record.code_version,
    )


def _pins(home: Home, declarations: Declarations, visible: frozenset[int]) -> tuple[Pin, ...]:
    found = (
        _pin(home, declarations, relation, side, visible)
        for relation in declarations.tables
        for side in sides_of(declarations, relation)
    )
    pins = (pin for pin in found if pin is not None)
    return tuple(sorted(pins, key=lambda pin: (pin.relation, pin.side)))


def _require_consistent(declarations: Declarations, pins: tuple[Pin, ...]) -> None:
    """Raise unless every relation was built from what its parents hold now."""
    content = {
        relation: combine({}, spec) if spec.segment is not None else ""
        for relation, spec in declarations.tables.items()
    }
    content |= {pin.relation: pin.content_hash for pin in pins}
    for pin in pins:
        recorded = dict(pin.inputs)
        for parent in declarations.parents(pin.relation):
            if declarations.side(parent) == "split":
                continue
            if recorded.get(parent, "") != content[parent]:
                message = (
                    f"{pin.relation} was built from other content of {parent} than is there now. "
                    "No publication was made. Build the relation again, then publish."
                )
                raise WarehouseError(message)


def bind(
    home: Home, declarations: Declarations, *, visible: frozenset[int], reason: str, at: str
) -> Publication:
    """Make a publication of the latest versions; see `Lake.bind`.

    Raises
    ------
    WarehouseError
        A relation was built from other content than its parents have now.
    """
    home.require()
    with exclusive(home.publications / ".lock", wait_seconds=_WAIT_SECONDS):
        pins = _pins(home, declarations, visible)
        _require_consistent(declarations, pins)
        former = publications.current(home)
        publication = Publication(
            number=1 if former is None else former.number + 1,
            at=at,
            reason=reason,
            visible=tuple(sorted(visible)),
            relations=pins,
            content_hash=publications.content_of(pins),
        )
        if former is not None and _same(former, publication):
            return former
        publications.write(home, publication)
    return publication


def _same(former: Publication, latest: Publication) -> bool:
    """Whether readers would see the same; versions without new content are nothing new."""

    def seen(publication: Publication) -> list[tuple[str, str, str]]:
        return [(pin.relation, pin.side, pin.content_hash) for pin in publication.relations]

    return former.visible == latest.visible and seen(former) == seen(latest)
