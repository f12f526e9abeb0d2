from traceback import format_exc

import pytest

from skmeta._evaluation import Work, fit_all
from skmeta._messages import error_line, first_line


def _traceback_of(error):
    try:
        try:
            int("first")
        finally:
            raise error
    except type(error):
        return format_exc()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("One.\nTwo."), "One."),
        (ValueError("\n  One.\n  Two."), "One."),
        (ValueError(), ""),
        ("Stopped: the time was over.", "Stopped: the time was over."),
        (_traceback_of(ValueError("One.\n  Two.")), "ValueError: One."),
    ],
)
def test_the_line_of_an_error(error, line):
    """It is that of what was raised last, of an exception as of what was kept of it."""
    assert error_line(error) == line
    assert first_line(error) == line.rstrip(".")


class _BeginsWithAnEmptyLine:
    def get_params(self, deep=False):
        return {}

    def fit(self, X, y):
        raise ValueError("\nThe reason.\nThe rest.")


def test_an_error_that_begins_with_an_empty_line():
    """As those of some compiled libraries do; what is kept says the reason."""
    work = Work([[0.0], [1.0]], [0, 1], [], None)
    [(_, error)] = fit_all([_BeginsWithAnEmptyLine()], work)
    assert error == "ValueError: The reason."
