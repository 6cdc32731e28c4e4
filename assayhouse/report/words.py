"""How numbers, p values and footnotes are written. Rounds for print; computes no statistic."""

import math
from collections.abc import Iterable, Sequence

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
MANY_VISITS = 5  # above it, a panel labels earlier visits only where they carry a star
STAR_LIMITS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
STAR_WORDS = "* p ≤ 0.05, ** p ≤ 0.01, *** p ≤ 0.001"
NO_MULTIPLICITY = "No adjustment for multiplicity was made."


def stars(p: float | None) -> str:
    """Return the stars of a p value; none where there is no p value.

    Parameters
    ----------
    p : float or None
        Two-sided p value, unrounded: stars are not read off a printed figure.

    Returns
    -------
    str
        Up to three stars.

    Examples
    --------
    >>> stars(0.05), stars(0.0500001), stars(0.001), stars(None)
    ('*', '', '***', '')
    """
    if p is None or math.isnan(p):
        return ""
    return next((mark for limit, mark in STAR_LIMITS if p <= limit), "")


def methods_told(methods: Iterable[str | None]) -> str:
    """Join the methods of rows; what one adds to another stands once, after it.

    Parameters
    ----------
    methods : iterable of str or None
        A method per row.

    Returns
    -------
    str
        Empty where no row tells one.

    Examples
    --------
    >>> methods_told(["ranks", None, "ranks; A: women", "ranks"]), methods_told([])
    ('ranks; A: women', '')
    """
    told: list[str] = []
    for method in sorted(
        {method for method in methods if method}, key=lambda text: (len(text), text)
    ):
        base = next((former for former in told if method.startswith(f"{former}; ")), "")
        told.append(method.removeprefix(f"{base}; ") if base else method)
    return "; ".join(told)


def number(value: float | None, decimals: int) -> str:
    """Write a number with fixed decimals and a true minus sign; a dash where there is none.

    Parameters
    ----------
    value : float or None
        The number.
    decimals : int
        Digits after the point.

    Returns
    -------
    str
        With a true minus sign; a zero has no sign.

    Examples
    --------
    >>> number(1234.5, 1), number(-0.001, 2), number(None, 2) == DASH
    ('1234.5', '0.00', True)
    """
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:.{decimals}f}"
    if text.startswith("-") and not text.strip("-0."):
        text = text[1:]
    return text.replace("-", MINUS)


def signed(value: float, decimals: int) -> str:
    """Write a difference with its sign, a zero without one.

    Parameters
    ----------
    value : float
        The difference.
    decimals : int
        Digits after the point.

    Returns
    -------
    str
        For example ``+104.9``.

    Examples
    --------
    >>> signed(104.9, 1), signed(-58.3, 1) == MINUS + "58.3", signed(0.01, 1)
    ('+104.9', True, '0.0')
    """
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def p_text(p: float | None) -> str:
    """Write a p value to three decimals, or as below 0.001.

    Parameters
    ----------
    p : float or None
        The p value.

    Returns
    -------
    str
        For example ``0.004`` or ``<0.001``.

    Examples
    --------
    >>> p_text(0.0004), p_text(0.0123), p_text(0.9999), p_text(None) == DASH
    ('<0.001', '0.012', '>0.999', True)
    """
    if p is None or math.isnan(p):
        return DASH
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.9995 else f"{p:.3f}"


def decimals_for(std_errors: Iterable[float | None]) -> int:
    """Choose decimals that show two significant digits of a typical standard error.

    Parameters
    ----------
    std_errors : iterable of float or None
        Standard errors of one parameter.

    Returns
    -------
    int
        From 0 to 6; 2 where no standard error is known.

    Examples
    --------
    >>> decimals_for([8.7, 9.1]), decimals_for([0.033]), decimals_for([120.0]), decimals_for([])
    (1, 3, 0, 2)
    """
    known = sorted(value for value in std_errors if value is not None and 0 < value < math.inf)
    if not known:
        return 2
    typical = known[len(known) // 2]
    return min(6, max(0, 1 - math.floor(math.log10(typical))))


def spoken_list(items: Sequence[str]) -> str:
    """Join words as in a sentence.

    Parameters
    ----------
    items : sequence of str
        The words in order.

    Returns
    -------
    str
        Joined with commas and a last ``and``.

    Examples
    --------
    >>> spoken_list(["a"]), spoken_list(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def span(low: int, high: int) -> str:
    """Write a range of whole numbers, or the one number it consists of.

    Parameters
    ----------
    low, high : int
        Ends of the range.

    Returns
    -------
    str
        For example ``240 to 281``.

    Examples
    --------
    >>> span(240, 281), span(3, 3)
    ('240 to 281', '3')
    """
    return str(low) if low == high else f"{low} to {high}"


def slug(text: str) -> str:
    """Return the text with everything but ASCII letters, digits and hyphens turned to hyphens.

    Parameters
    ----------
    text : str
        A code, for example a parameter code.

    Returns
    -------
    str
        Safe as part of an XML identifier.

    Examples
    --------
    >>> slug("IL-2 (pg/mL)")
    'IL-2--pg-mL-'
    """
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
