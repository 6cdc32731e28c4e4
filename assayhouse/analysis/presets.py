"""Named sets of analysis options. A preset is nothing more: the result stores every option."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from assayhouse.analysis.spec import EffectSpec, ImputeSpec
from assayhouse.analysis.spec_checks import require, require_known
from assayhouse.stats.psi import MASS_MAD

_MAIN_EFFECTS = ImputeSpec(by_arm=False)

_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "paper": {"responses": ("abs", "chg", "pchg"), "impute": _MAIN_EFFECTS},
    "mass": {
        "mad_constant": MASS_MAD,
        "variance_ddof": 1,
        "lambda_floor": 1e-4,
        "impute": _MAIN_EFFECTS,
    },
    "sas-like": {
        "psi": "bisquare",
        "df_method": "rubin1987",
        "impute": ImputeSpec(method="monotone", by_arm=False),
    },
    "recommended": {"responses": ("log",), "blq_rule": "censored"},
}


def preset(name: str, reference: str, **changes: Any) -> EffectSpec:  # noqa: ANN401 - any option
    """Make a spec from a named set of options and changes to it.

    ``paper`` is a reading of what the trial's publication leaves open, not a reproduction;
    that ``sas-like`` equals SAS was never checked.

    Parameters
    ----------
    name : {"paper", "mass", "sas-like", "recommended"}
        The set.
    reference : str
        Arm that the others are compared with.
    **changes
        Options of `EffectSpec` that replace those of the set.

    Returns
    -------
    EffectSpec
        With every option in full.

    Raises
    ------
    ModelDataError
        An unknown set or option.

    Examples
    --------
    >>> preset("mass", "A").variance_ddof, preset("recommended", "A").responses
    (1, ('log',))
    """
    known = ", ".join(sorted(_PRESETS))
    require(ok=name in _PRESETS, message=f"Preset {name!r} is unknown; choose one of {known}.")
    require_known(changes, {item.name for item in fields(EffectSpec)}, what=f"preset {name}")
    return replace(EffectSpec(reference, **_PRESETS[name]), **changes)
