"""Doctests of what needs torch are run where it is installed."""

from importlib.util import find_spec

NEED_TORCH = [
    "skmeta/multitask/_meta_gradient.py",
    "skmeta/multitask/_shared_representation.py",
]
collect_ignore = [] if find_spec("torch") else NEED_TORCH
