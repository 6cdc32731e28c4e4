"""Dummy arms: a seeded permutation of the planned arms, for the dry run before unblinding.

Nothing of the true assignment is read: only who was treated, the strata and the planned ratio.
"""

from collections.abc import Sequence

import polars as pl

from assayhouse.contracts.study import Arm
from assayhouse.stats.resampling import stream_words

WATERMARK = "DUMMY TREATMENT"
LABEL = "dummy arms"


def dummy_assignment(subjects: pl.DataFrame, arms: Sequence[Arm], *, seed: int) -> pl.DataFrame:
    """Deal the arms to the subjects in the planned ratio, within strata, in a random order.

    Parameters
    ----------
    subjects : DataFrame
        USUBJID, and one text column per stratum; one row per treated subject.
    arms : sequence of Arm
        With the ratio of the randomisation.
    seed : int
        The study's; the same subjects and seed give the same dummy arms.

    Returns
    -------
    DataFrame
        USUBJID, ARMCD; sorted.

    Examples
    --------
    >>> arms = [Arm(ARMCD=c, ARM=c, dose_mg=None, is_reference=c == "P") for c in "PA"]
    >>> found = dummy_assignment(pl.DataFrame({"USUBJID": ["1", "2", "3", "4"]}), arms, seed=1)
    >>> sorted(found["ARMCD"])
    ['A', 'A', 'P', 'P']
    """
    strata = [name for name in subjects.columns if name != "USUBJID"]
    ordered = subjects.sort("USUBJID")
    words = stream_words(seed, LABEL, replicate=0, count=max(ordered.height, 1), purpose=1)
    shuffled = ordered.with_columns(pl.Series("word", words[: ordered.height])).sort(
        *strata, "word", "USUBJID", nulls_last=True
    )
    # Dealing goes on from stratum to stratum, so that the ratio holds over all.
    pattern = [arm.ARMCD for arm in arms for _ in range(arm.ratio)]
    dealt = [pattern[place % len(pattern)] for place in range(shuffled.height)]
    return shuffled.select("USUBJID", pl.Series("ARMCD", dealt, dtype=pl.String)).sort("USUBJID")
