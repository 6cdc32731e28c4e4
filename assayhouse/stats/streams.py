"""Random streams that belong to a name and a number, not to the order of a computation."""

from enum import IntEnum
from hashlib import blake2b

import numpy as np

from assayhouse.stats.errors import InputError


class Purpose(IntEnum):
    """What a stream is used for; streams of one name and number do not share draws."""

    NORMAL = 0
    GAMMA = 1
    UNIFORM = 2
    RESAMPLE = 3


def open_stream(seed: int, key: str, number: int, purpose: Purpose) -> np.random.Generator:
    """Open the stream of a seed, a key, a number and a purpose.

    Parameters
    ----------
    seed : int
        From 0.
    key : str
        What is drawn for, such as a parameter.
    number : int
        Imputation, from 0.
    purpose : Purpose
        Use of the stream.

    Returns
    -------
    numpy.random.Generator
        The same draws for the same four, whatever else was drawn before.

    Raises
    ------
    InputError
        A seed that is not a whole number from 0, a key that is not text.

    References
    ----------
    .. [1] O'Neill ME (2014), PCG: a family of simple fast space-efficient statistically good
       algorithms for random number generation, HMC-CS-2014-0905.

    Examples
    --------
    >>> one = open_stream(1, "A", 0, Purpose.NORMAL).random()
    >>> one == open_stream(1, "A", 0, Purpose.NORMAL).random()
    True
    >>> one == open_stream(1, "B", 0, Purpose.NORMAL).random()
    False
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        message = f"seed={seed!r} must be a whole number from 0."
        raise InputError(message)
    if not isinstance(key, str):
        message = "key must be text, such as the code of the parameter."
        raise InputError(message)
    digest = blake2b(key.encode("utf-8"), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    entropy = np.random.SeedSequence(int(seed), spawn_key=(*words, number, int(purpose)))
    return np.random.Generator(np.random.PCG64(entropy))
