import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn import datasets

from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.metafeatures._registry import GROUPS, REGISTRY

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))


def _load(name):
    if name == "toy_mixed":
        frame = pd.read_csv(HERE / "toy_mixed.csv")
        return frame.drop(columns="class"), frame["class"]
    return getattr(datasets, f"load_{name}")(return_X_y=True)


@pytest.mark.parametrize("source", ["exact", "pymfe"])
@pytest.mark.parametrize("name", sorted(REFERENCE["datasets"]))
def test_agrees_with_reference(name, source):
    """Features of the same definition agree with independent figures to 1e-6."""
    extractor = MetaFeatureExtractor(groups=GROUPS).fit(*_load(name))
    values = dict(
        zip(extractor.get_feature_names_out(), extractor.meta_features_, strict=True)
    )
    expected = REFERENCE["datasets"][name][source]
    assert {key: values[key] for key in expected} == pytest.approx(
        expected, rel=1e-6, abs=1e-6
    )


def test_reference_is_substantial():
    """Every data set compares at least fifty features, out of most families."""
    for name, sources in REFERENCE["datasets"].items():
        compared = set(sources["exact"]) | set(sources["pymfe"])
        assert len(compared) >= 50, name
        families = {feature.partition(".")[0] for feature in compared}
        assert families >= {
            "attr_ent",
            "c2",
            "can_cor",
            "class_ent",
            "cor",
            "eq_num_attr",
            "freq_class",
            "kurtosis",
            "mut_inf",
            "nr_bin",
            "nr_cor_attr",
            "nr_outliers",
            "p_trace",
            "skewness",
            "sparsity",
            "w_lambda",
        }, name


def test_every_claim_of_parity_is_compared():
    """What the registry says pymfe defines alike is compared on some data set."""
    compared = set()
    for sources in REFERENCE["datasets"].values():
        compared |= set(sources["exact"]) | set(sources["pymfe"])
    claimed = {feature.name for feature in REGISTRY if feature.pymfe}
    assert compared == claimed


def test_nothing_is_guarded_on_ordinary_tables():
    """A table with numbers, categories and two classes defines every feature."""
    assert (
        MetaFeatureExtractor(groups=GROUPS).fit(*_load("toy_mixed")).report_.guarded
        == {}
    )
