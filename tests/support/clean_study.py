"""The simulated study without faults, carried from its files to the relations a test asks for."""

from assayhouse.contracts import declarations
from assayhouse.pipeline import delivery
from assayhouse.pipeline.relations import build_relation, derived
from assayhouse.simulate.study import simulate_study
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake

AT = "2026-01-05T02:00:00+00:00"
ONCE = ("irt/", "pk_pool/")


def needed(loaded, wanted):
    """The wanted relations and all they are built from, in build order."""
    found, open_ends = set(), list(wanted)
    while open_ends:
        relation = open_ends.pop()
        if relation not in found:
            found.add(relation)
            open_ends += loaded.parents(relation)
    return [relation for relation in derived(loaded) if relation in found]


def land(home, files):
    """Put files into the landing folder."""
    for name, content in files.items():
        target = home.landing / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def ingest_all(home, loaded):
    """Receive and ingest what has landed; every file is expected to be faultless."""
    delivery.scan(home, loaded, at=AT, who="test")
    for receipt in delivery.pending(home, loaded):
        outcome = delivery.ingest(home, loaded, receipt.number, at=AT, who="test")
        assert outcome.state == "PUBLISHED", (outcome.layout, outcome.why)


def clean_home(folder, wanted, *, layouts=None, loaded=None, **options):
    """Carry the study's last transfer to the wanted relations: the home, the study, its plan.

    Everything is cumulative but the randomisation and the earlier studies, which come with the
    first transfer only.
    """
    loaded = declarations.load() if loaded is None else loaded
    study = simulate_study(faults=False, layouts=layouts, **options)
    first, *_, last = study.transfers
    home = Home(folder).create()
    land(home, {name: first.files[name] for name in first.files if name.startswith(ONCE)})
    land(home, last.files)
    ingest_all(home, loaded)
    for relation in needed(loaded, wanted):
        build_relation(home, loaded, relation)
    return home, study, loaded


def rows_of(home, loaded, relation):
    """Rows of a relation as it stands, published or not."""
    return Lake(home, loaded).scan(relation).collect()
