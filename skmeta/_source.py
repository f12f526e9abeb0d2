"""Python source that builds an unfitted estimator."""

import importlib
import inspect
from functools import partial
from operator import attrgetter, itemgetter, methodcaller

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

_WIDTH = 88
_ALIASES = {"numpy": "np", "pandas": "pd"}
# Parameters that are clearer without their name.
_UNNAMED = {"func", "steps", "transformers", "transformer_list", "estimators"}


def source_of(value, name, parts=None):
    """Return Python source that assigns a value to a name.

    Parameters
    ----------
    value : object
        An estimator, or what parameters of estimators may be.
    name : str
        The variable.
    parts : dict of str to object, default=None
        Parts of the value that are given variables of their own.

    Returns
    -------
    source : str
        Imports and assignments, with the line lengths of Black.

    Raises
    ------
    ValueError
        If there is something in it that cannot be written down, such as a lambda.
    """
    writer = _Writer()
    statements = []
    for part_name, part in (parts or {}).items():
        statements += [_lay_out(writer.write(part), f"{part_name} = ")]
        writer.names[id(part)] = part_name
    statements.append(_lay_out(writer.write(value), f"{name} = "))
    imports = writer.import_lines()
    return "\n".join([*imports, *([""] if imports else []), *statements])


class _Writer:
    """Writes values as expressions, and notes what they import.

    An expression is text, or for what may take several lines a tuple of how it
    begins, its items as pairs of a prefix and an expression, and how it ends.
    """

    def __init__(self):
        self.names = {}
        self.imported = set()

    def import_lines(self):
        lines = [
            f"import {module} as {_ALIASES[module]}"
            if name is None
            else f"from {module} import {name}"
            for module, name in self.imported
        ]
        return sorted(lines, key=lambda line: (line.startswith("from"), line))

    def write(self, value):
        if id(value) in self.names:
            return self.names[id(value)]
        for kinds, write in self._writers():
            if isinstance(value, kinds):
                return write(value)
        if hasattr(value, "__name__"):  # classes and all kinds of functions
            return self._imported(value)
        if isinstance(value, (partial, methodcaller, attrgetter, itemgetter)):
            return self._call_of_reduced(value)
        if _has_parameters(value):
            return self._constructed(value)
        raise ValueError(f"Only what can be imported can be written, got: {value!r}.")

    def _writers(self):
        return [
            (Pipeline, self._pipeline),
            (BaseEstimator, self._constructed),
            (np.ndarray, self._array),
            ((float, np.floating), self._number),
            ((bool, int, str, bytes, type(None)), repr),
            (np.generic, lambda value: repr(value.item())),
            ((list, tuple, set), self._sequence),
            (dict, self._dict),
            (range, repr),
            (slice, repr),
            (pd.CategoricalDtype, self._category_dtype),
            (pd.Timestamp, lambda value: self._text_of(pd.Timestamp, value)),
            (pd.Timedelta, lambda value: self._text_of(pd.Timedelta, value)),
        ]

    def _imported(self, value):
        """Return the shortest name under which a class or function is imported."""
        name = value.__name__
        module = "numpy" if isinstance(value, np.ufunc) else value.__module__
        if module == "builtins":
            return name
        parts = (module or "").split(".")
        for n in range(1, len(parts) + 1):
            public = ".".join(parts[:n])
            if not public or parts[n - 1].startswith("_") or public == "__main__":
                break
            if getattr(importlib.import_module(public), name, None) is value:
                if public in _ALIASES:
                    self.imported.add((public, None))
                    return f"{_ALIASES[public]}.{name}"
                self.imported.add((public, name))
                return name
        raise ValueError(
            f"Only what can be imported can be written, got: {value!r}. Define it in "
            f"a module."
        )

    def _number(self, value):
        value = float(value)
        if np.isfinite(value):
            return repr(value)
        self.imported.add(("numpy", None))
        return "np.nan" if np.isnan(value) else "np.inf" if value > 0 else "-np.inf"

    def _array(self, value):
        self.imported.add(("numpy", None))
        return "np.array(", [("", self.write(value.tolist()))], ")"

    def _sequence(self, value):
        if not value:
            return repr(value)
        items = [("", self.write(item)) for item in value]
        if isinstance(value, tuple):
            return "(", items, ",)" if len(value) == 1 else ")"
        return ("[", items, "]") if isinstance(value, list) else ("{", items, "}")

    def _dict(self, value):
        items = []
        for key, item in value.items():
            items.append((f"{_lay_out(self.write(key), '')}: ", self.write(item)))
        return "{", items, "}"

    def _category_dtype(self, value):
        categories = value.categories.tolist()
        if categories == list(range(len(categories))):
            categories = range(len(categories))
        items = [("", self.write(categories))]
        if value.ordered:
            items.append(("ordered=", "True"))
        return f"{self._imported(pd.CategoricalDtype)}(", items, ")"

    def _text_of(self, kind, value):
        return f"{self._imported(kind)}({str(value)!r})"

    def _pipeline(self, value):
        plain = make_pipeline(*(step for _, step in value.steps))
        if plain.steps != value.steps or plain.get_params(False).keys() != (
            value.get_params(False).keys()
        ):
            return self._constructed(value)
        if _given_parameters(value).keys() != {"steps"}:
            return self._constructed(value)
        items = [("", self.write(step)) for _, step in value.steps]
        return f"{self._imported(make_pipeline)}(", items, ")"

    def _constructed(self, value):
        items = [
            ("" if name in _UNNAMED else f"{name}=", self.write(given))
            for name, given in _given_parameters(value).items()
        ]
        return f"{self._imported(type(value))}(", items, ")"

    def _call_of_reduced(self, value):
        """Write an object of which pickle knows how it was called."""
        if isinstance(value, partial):
            function, args, keywords = (
                partial,
                (value.func, *value.args),
                value.keywords,
            )
        else:
            function, args = value.__reduce__()[:2]
            keywords = {}
        if isinstance(function, partial):  # of a methodcaller with keywords
            args, keywords = function.args + args, function.keywords
            function = function.func
        items = [("", self.write(arg)) for arg in args]
        items += [(f"{name}=", self.write(item)) for name, item in keywords.items()]
        return f"{self._imported(function)}(", items, ")"


def _has_parameters(value):
    """Say whether an object is like scikit-learn's splitters and kernels."""
    return type(value).__module__.partition(".")[0] == "sklearn"


def _given_parameters(value):
    """Return the parameters of an object that are not the defaults."""
    signature = inspect.signature(type(value).__init__).parameters
    defaults = {name: each.default for name, each in signature.items()}
    if isinstance(value, BaseEstimator):
        params = value.get_params(deep=False)
        first = sorted(
            params,
            key=lambda name: (
                list(signature).index(name) if name in signature else len(signature)
            ),
        )
        params = {name: params[name] for name in first}
    else:
        more = getattr(value, "cvargs", {})
        names = [name for name in signature if name not in {"self", "args", "kwargs"}]
        params = {name: getattr(value, name, more.get(name)) for name in names}
    # XGBoost names some of its parameters in a parent class only.
    return {
        name: given
        for name, given in params.items()
        if not _is_default(given, defaults.get(name))
    }


def _is_default(given, default):
    return given is default or repr(given) == repr(default)


def _lay_out(expression, before, after="", indent=0):
    """Return an expression as text, over several lines if it is long."""
    line = " " * indent + before + _on_one_line(expression) + after
    if isinstance(expression, str) or not expression[1] or len(line) <= _WIDTH:
        return line
    begins, items, ends = expression
    inside = [_lay_out(item, prefix, ",", indent + 4) for prefix, item in items]
    first = " " * indent + before + begins
    last = " " * indent + ends.removeprefix(",") + after
    return "\n".join([first, *inside, last])


def _on_one_line(expression):
    if isinstance(expression, str):
        return expression
    begins, items, ends = expression
    inside = ", ".join(prefix + _on_one_line(item) for prefix, item in items)
    return begins + inside + ends
