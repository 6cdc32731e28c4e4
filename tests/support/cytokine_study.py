"""The cytokine part of the shipped study as a study of its own: nights of it take seconds.

Everything but ``study.yaml`` is the shipped declaration; one whole night of the whole study is in
``tests/integration/test_whole_study.py``.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import yaml

from assayhouse import paths
from assayhouse.contracts import declarations
from assayhouse.simulate.study import simulate_study
from assayhouse.simulate.vendor_layouts import CYTOKINE_LAYOUTS

CYTOKINES = ("IL2", "IL10", "IL17A", "IL17F", "IL21", "BLYS")
KEPT = (
    *("study", "title", "synthetic", "blinding", "time_zone", "seed", "arms", "visits"),
    *("other_visits", "visit_rule", "baseline_rule", "strata", "treatment_words"),
)
EFFECT_OPTIONS = ("responses", "psi", "scale", "covariance", "weights", "blq_rule")


def cytokine_document():
    """What the cytokine part leaves of the shipped ``study.yaml``."""
    text = (paths.shipped_root() / "schemas" / "study.yaml").read_text(encoding="utf-8")
    shipped = yaml.safe_load(text)
    effects = {name: shipped["analyses"]["effects"][name] for name in EFFECT_OPTIONS}
    effects["population"] = "observed_at_visit"  # imputation takes most of a night
    return {name: shipped[name] for name in KEPT} | {
        "layouts": list(CYTOKINE_LAYOUTS),
        "parameters": list(CYTOKINES),
        "analyses": {"effects": effects},
        "figures": [item for item in shipped["figures"] if item["id"] == "figure_2"],
        "tables": [item for item in shipped["tables"] if item["id"] == "table_s3"],
    }


def write_cytokine_study(folder):
    """Write the study into a folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(cytokine_document(), sort_keys=False)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder


@functools.cache
def cytokine_folder():
    """Folder of the study, made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="assayhouse-cytokines-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_cytokine_study(folder)


@functools.cache
def cytokine_declarations():
    """Declarations of the study."""
    return declarations.load(cytokine_folder())


@functools.cache
def cytokine_transfers():
    """Transfers of the study, without faults."""
    return simulate_study(faults=False, layouts=CYTOKINE_LAYOUTS).transfers
