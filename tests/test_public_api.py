import importlib
import pkgutil

import skmeta


def test_all_is_sorted_and_complete():
    """What skmeta shows without an underscore is what __all__ lists."""
    modules = {module.name for module in pkgutil.iter_modules(skmeta.__path__)}
    shown = {name for name in vars(skmeta) if not name.startswith("_")} - modules
    assert set(skmeta.__all__) == shown | {"__version__"}
    assert [*skmeta.__all__] == sorted(skmeta.__all__)


def test_every_package_lists_names_that_exist():
    """The __all__ of each package names only what is there."""
    packages = ["knowledge", "metafeatures", "multitask", "plotting", "recommendation"]
    for name in packages:
        package = importlib.import_module(f"skmeta.{name}")
        assert all(hasattr(package, public) for public in package.__all__)
