"""Words and numbers as report.md has them."""

from mp3fix.listening.statistics import Share, Summary


def plain(text: str) -> str:
    """Text that Markdown shows as it is, whoever wrote it."""
    return "".join(f"&#{ord(c)};" if c in "\\`*_{}[]<>&|#!~$" else c for c in text)


def number(value: float, digits: int = 2) -> str:
    """A number; – for none (nan)."""
    return "–" if value != value else f"{value:.{digits}f}"


def interval(each: Summary) -> str:
    """The 95 % interval of a mean: 1.20 to 2.34."""
    return "–" if each.low != each.low else f"{each.low:.2f} to {each.high:.2f}"


def share(each: Share) -> str:
    """A share and its interval: 62 % (40 to 81)."""
    if not each.n:
        return "–"
    return f"{100 * each.share:.0f} % ({100 * each.low:.0f} to {100 * each.high:.0f})"


def stated(p: float) -> str:
    """As `p_value` in a sentence: p = 0.012, p < 0.0001."""
    shown = p_value(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def p_value(p: float) -> str:
    """A probability: 0.012, < 0.0001."""
    if p != p:
        return "–"
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"
