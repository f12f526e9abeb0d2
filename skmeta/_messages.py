"""What several messages are made with."""

import sys
import textwrap
import warnings
from difflib import get_close_matches

from skmeta.exceptions import SkmetaWarning

_WIDTH = 80

# What stands between a line of the user's and the place where something is noticed.
_PACKAGES = {"skmeta", "sklearn", "joblib"}


def did_you_mean(names, known):
    """Ask about names that are nearly right, at the end of a message.

    Parameters
    ----------
    names : iterable
        What was given, and is not known.
    known : iterable of str
        What could have been meant; case does not matter.

    Returns
    -------
    question : str
        Empty if there is nothing similar.

    Examples
    --------
    >>> from skmeta._messages import did_you_mean
    >>> did_you_mean(["Irs"], ["iris", "wine"])
    " Did you mean 'iris'?"
    >>> did_you_mean(["acc"], ["jaccard", "accuracy"])
    " Did you mean 'accuracy'?"
    """
    known = {str(name).lower(): str(name) for name in known}
    found = []
    for name in names:
        name = str(name).lower()
        # Who types the beginning of a name means it.
        longer = [other for other in known if name and other.startswith(name)]
        similar = sorted(longer, key=len)[:1] or get_close_matches(name, known, n=1)
        found += [repr(known[each]) for each in similar]
    return f" Did you mean {', '.join(dict.fromkeys(found))}?" if found else ""


def error_line(error):
    r"""Return the first line of what an error says.

    Parameters
    ----------
    error : Exception or str
        What was raised, or what was kept of it: a message or a traceback, of which it
        is the line after the last frames.

    Returns
    -------
    line : str

    Examples
    --------
    >>> from skmeta._messages import error_line
    >>> error_line(ValueError("No rows.\nGive some."))
    'No rows.'
    """
    text = str(error).strip()
    # Frames are indented; after them comes what was raised.
    said = text.rpartition("Traceback (most recent call last):\n")[2].splitlines()
    lines = (line.rstrip() for line in said if line and not line[0].isspace())
    return next(lines, text)


def sentence(error):
    """Return the first line of what an error says, to stand before another sentence.

    Parameters
    ----------
    error : Exception or str

    Returns
    -------
    line : str
        With what ends a sentence.
    """
    line = error_line(error)
    return line if line.endswith((".", "?", "!")) else f"{line}."


def first_line(error):
    """Return the first line of what an error says, to stand within a sentence.

    Parameters
    ----------
    error : Exception or str

    Returns
    -------
    line : str
        Without the full stop.
    """
    return error_line(error).rstrip(".")


def wrap(text, first=""):
    """Return a text in lines that a narrow terminal shows, of 80 columns.

    Parameters
    ----------
    text : str
    first : str, default=""
        What the first line begins with; the others are indented by its length and two.

    Returns
    -------
    lines : str

    Examples
    --------
    >>> from skmeta._messages import wrap
    >>> print(wrap("svc: " + ", ".join(map(str, range(99, 120))), first="1. "))
    1. svc: 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
         113, 114, 115, 116, 117, 118, 119
    """
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * (len(first) + 2) if first else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def shorten(name, width):
    """Return a name, without its end if it is longer than a column of a table.

    Parameters
    ----------
    name : str
    width : int

    Returns
    -------
    name : str
    """
    return name if len(name) <= width else f"{name[: width - 3]}..."


def brief(value):
    """Return what a value is, to stand after "got": of data no more than its shape.

    Parameters
    ----------
    value : object

    Returns
    -------
    text : str

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta._messages import brief
    >>> brief("two"), brief(np.zeros((150, 2)))
    ("'two'", 'ndarray of shape (150, 2)')
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {shape}"
    return shorten(" ".join(repr(value).split()), 200)


def warn(message, category=SkmetaWarning):
    """Warn, and point at the user's line, however deep below it this is called.

    Parameters
    ----------
    message : str
    category : type, default=SkmetaWarning
    """
    # TODO: skip_file_prefixes of warnings.warn does this from Python 3.12 on.
    frame, level = sys._getframe(1), 2
    while _is_of_packages(frame) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_of_packages(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _PACKAGES
