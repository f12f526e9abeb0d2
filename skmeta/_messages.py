"""What several messages are made with."""

from difflib import get_close_matches


def did_you_mean(names, known, cutoff=0.6):
    """Ask about names that are nearly right, at the end of a message.

    Parameters
    ----------
    names : iterable
        What was given, and is not known.
    known : iterable of str
        What could have been meant.
    cutoff : float, default=0.6
        How similar two names have to be, at most 1; their case does not matter.

    Returns
    -------
    question : str
        Empty if there is nothing similar.

    Examples
    --------
    >>> from skmeta._messages import did_you_mean
    >>> did_you_mean(["Irs"], ["iris", "wine"])
    " Did you mean 'iris'?"
    """
    known = {str(name).lower(): str(name) for name in known}
    found = [
        repr(known[similar])
        for name in names
        for similar in get_close_matches(str(name).lower(), known, n=1, cutoff=cutoff)
    ]
    return f" Did you mean {', '.join(dict.fromkeys(found))}?" if found else ""


def first_line(error):
    """Return the first line of what an error says, without the full stop.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    line : str
    """
    return str(error).strip().partition("\n")[0].strip().rstrip(".")
