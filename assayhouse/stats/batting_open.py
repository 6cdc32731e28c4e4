"""A search made ready from the keywords that the functions around `batting` pass on."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from assayhouse.stats.batting_rules import PassedOptions, Rules, read_rules
from assayhouse.stats.batting_search import Draws, read_resamples, resample_groups
from assayhouse.stats.batting_study import Columns, Study, read_columns, read_study
from assayhouse.stats.errors import InputError
from assayhouse.stats.resampling import Rng, resolve_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A data set with its options, ready to be searched again and again.

    Parameters
    ----------
    study : Study
        Records.
    rules : Rules
        Options.
    draws : Draws
        Replicates.
    seed : int
        Of everything random.
    label : str
        Marker.
    """

    study: Study
    rules: Rules
    draws: Draws
    seed: int
    label: str


def open_search(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    n_boot: int,
    rng: Rng,
    options: PassedOptions,
) -> Search:
    """Return a search from the arguments of a public function.

    Parameters
    ----------
    x, arm, response, n_boot, rng
        As `batting`.
    options : dict
        Other keywords of `batting`.

    Returns
    -------
    Search
        Checked.

    Raises
    ------
    InputError
        A rule of the door is broken, or a keyword is unknown.
    """
    rules, columns = open_options(arm, response, n_boot=n_boot, options=options)
    seed = resolve_seed(rng)
    label = options.get("marker", "x")
    study = read_study(x, columns)
    draws = open_draws(columns, rules, seed=seed, label=label, options=options)
    return Search(study=study, rules=rules, draws=draws, seed=seed, label=label)


def open_options(
    arm: ArrayLike, response: ArrayLike, *, n_boot: int, options: PassedOptions
) -> tuple[Rules, Columns]:
    """Return rules and columns from the arguments of a public function.

    Parameters
    ----------
    arm, response, n_boot, options
        As `open_search`.

    Returns
    -------
    (Rules, Columns)
        Checked.

    Raises
    ------
    InputError
        A rule of the door is broken, or a keyword is unknown.
    """
    unknown = sorted(set(options) - set(PassedOptions.__annotations__))
    if unknown:
        message = f"Unknown options: {', '.join(unknown)}."
        raise InputError(message)
    rules = read_rules(n_boot=n_boot, **options)
    columns = read_columns(
        arm,
        response,
        endpoint=rules.endpoint,
        event=options.get("event"),
        strata=options.get("strata"),
        adjust=options.get("adjust"),
        missing=rules.missing,
    )
    return rules, columns


def open_draws(
    columns: Columns, rules: Rules, *, seed: int, label: str, options: PassedOptions
) -> Draws:
    """Return the replicates of a search.

    Parameters
    ----------
    columns, rules : Columns, Rules
        Data and options.
    seed, label : int, str
        Stream.
    options : dict
        With ``resamples`` where rows are given.

    Returns
    -------
    Draws
        Given rows, or a stream.
    """
    n = len(columns.arm)
    given = options.get("resamples")
    if given is not None:
        rows = read_resamples(given, n=n)
        return Draws(n_rows=n, n_boot=len(rows), seed=None, label=label, groups=None, rows=rows)
    groups = resample_groups(columns, resample=rules.resample)
    return Draws(n_rows=n, n_boot=rules.n_boot, seed=seed, label=label, groups=groups, rows=None)
