"""Names that a file repeats, made unique by suffixes."""

from collections.abc import Container


def unique_name(name: str, taken: Container[str], seen: dict[str, int]) -> str:
    """Give a name the first free suffix ``_2``, ``_3``, where it is taken.

    Parameters
    ----------
    name : str
        As the file has it.
    taken : container of str
        Names given so far.
    seen : dict
        How often each name has come; counted on, so that many repeats stay cheap.

    Examples
    --------
    >>> unique_name("a", {"a", "a_2"}, {})
    'a_3'
    """
    unique = name
    while unique in taken:
        seen[name] = seen.get(name, 1) + 1
        unique = f"{name}_{seen[name]}"
    return unique
