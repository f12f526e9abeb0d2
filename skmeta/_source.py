"""Python source that builds an unfitted estimator."""

import importlib
import inspect
import sys
from functools import partial
from operator import attrgetter, itemgetter, methodcaller

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

_WIDTH = 88
# Longer lists of short things share lines.
_MANY = 8
# Longer lists of strings, which are levels of categories, have a variable of their own.
_MOST_LEVELS = 50
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
    levels = [_lay_out(*each) for each in writer.levels.values()]
    return "\n".join([*imports, *([""] if imports else []), *levels, *statements])


class _Writer:
    """Writes values as expressions, and notes what they import.

    An expression is text, or for what may take several lines a tuple of how it
    begins, its items as pairs of a prefix and an expression, and how it ends.
    """

    def __init__(self):
        self.names = {}
        self.imported = set()
        self.levels = {}

    def import_lines(self):
        """Return imports in the order of isort."""
        aliases = sorted(module for module, name in self.imported if name is None)
        lines = [f"import {module} as {_ALIASES[module]}" for module in aliases]
        first = []
        modules = {module for module, name in self.imported if name is not None}
        for module in sorted(modules):
            names = sorted(name for each, name in self.imported if each == module)
            is_standard = module.partition(".")[0] in sys.stdlib_module_names
            (first if is_standard else lines).append(_import_line(module, names))
        return [*first, *([""] if first and lines else []), *lines]

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
            (str, _quoted),
            ((bool, int, bytes, type(None)), repr),
            (np.generic, lambda value: repr(value.item())),
            ((list, tuple, set), self._sequence),
            (dict, self._dict),
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
        is_long = isinstance(value, list) and len(value) > _MOST_LEVELS
        if is_long and all(isinstance(each, str) for each in value):
            # Written once, before all else, though every member has them.
            name = f"levels_{len(self.levels) + 1}"
            written = ("[", items, "]"), f"{name} = "
            return self.levels.setdefault(tuple(value), written)[1].removesuffix(" = ")
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
        is_range = categories == list(range(len(categories)))
        written = f"range({len(categories)})" if is_range else self.write(categories)
        items = [("", written)]
        if value.ordered:
            items.append(("ordered=", "True"))
        return f"{self._imported(pd.CategoricalDtype)}(", items, ")"

    def _text_of(self, kind, value):
        return f'{self._imported(kind)}("{value}")'

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
        return f"{self._imported(type(value))}(", items, f"){_set_output(value)}"

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


def _import_line(module, names):
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {n}," for n in names), ")"])


def _has_parameters(value):
    """Say whether an object is an estimator, or like scikit-learn's splitters."""
    is_from_sklearn = type(value).__module__.partition(".")[0] == "sklearn"
    return hasattr(value, "get_params") or is_from_sklearn


def _set_output(value):
    """Return the call by which a transformer gives frames, if it was told to."""
    # No parameter says it, and scikit-learn has no public way to ask.
    output = getattr(value, "_sklearn_output_config", {}).get("transform", "default")
    return "" if output == "default" else f'.set_output(transform="{output}")'


def _given_parameters(value):
    """Return the parameters of an object that are not the defaults."""
    signature = inspect.signature(type(value).__init__).parameters
    defaults = {name: each.default for name, each in signature.items()}
    if hasattr(value, "get_params"):
        params = value.get_params(deep=False)
    else:  # repeated splitters keep some of their parameters elsewhere
        others = getattr(value, "cvargs", {})
        names = [name for name in signature if name not in {"self", "args", "kwargs"}]
        params = {name: getattr(value, name, others.get(name)) for name in names}
    if any(each.kind == each.VAR_KEYWORD for each in signature.values()):
        defaults = type(value)().get_params(deep=False)
    order = [name for name in signature if name in params]
    return {
        name: params[name]
        for name in dict.fromkeys([*order, *params])
        if not _is_default(params[name], defaults.get(name))
    }


def _is_default(given, default):
    # By their text, since NaN is not equal to itself and arrays are not simply equal.
    # That of what can be no default is long.
    return type(given) is type(default) and repr(given) == repr(default)


def _lay_out(expression, before, after="", indent=0):
    """Return an expression as text, over several lines if it is long."""
    line = " " * indent + before + _on_one_line(expression) + after
    if isinstance(expression, str) or not expression[1] or len(line) <= _WIDTH:
        return line
    begins, items, ends = expression
    if len(items) > _MANY and all(isinstance(item, str) for _, item in items):
        inside = _filled([prefix + item for prefix, item in items], indent + 4)
    else:
        inside = [_lay_out(item, prefix, ",", indent + 4) for prefix, item in items]
    first = " " * indent + before + begins
    last = " " * indent + ends.removeprefix(",") + after
    return "\n".join([first, *inside, last])


def _filled(items, indent):
    """Return lines with as many items as they hold."""
    lines = [" " * indent + items[0] + ","]
    for item in items[1:]:
        longer = f"{lines[-1]} {item},"
        if len(longer) <= _WIDTH:
            lines[-1] = longer
        else:
            lines.append(" " * indent + item + ",")
    return lines


def _quoted(text):
    single = repr(str(text))  # those of NumPy would say what they are
    if '"' in text or not single.startswith("'"):
        return single
    return '"' + single[1:-1].replace("\\'", "'") + '"'


def _on_one_line(expression):
    if isinstance(expression, str):
        return expression
    begins, items, ends = expression
    inside = ", ".join(prefix + _on_one_line(item) for prefix, item in items)
    return begins + inside + ends
