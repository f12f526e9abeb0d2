from dataclasses import dataclass

import numpy as np

from skmeta._messages import did_you_mean

_HUGE = 1e15  # stands for "no bound" where a feature must still be finite


@dataclass(frozen=True)
class MetaFeature:
    """What is known of a meta-feature before any table is seen.

    Parameters
    ----------
    name : str
        Column of the meta-feature vector.
    group : str
        Group it is computed with.
    formula : str
        Definition, for the documentation.
    low, high : float
        Range; what lies outside is clipped.
    cost : str
        Order of the work for n rows, d columns, k classes, b bins and
        m = min(n, 20000) rows.
    default : float
        Value where the feature is not defined or its computation fails.
    transform : {"none", "log1p", "signed-log"}
        What to do to the value before taking distances between tasks.
    pymfe : str or None
        Name in pymfe where the definition is the same.
    log1p_of : str or None
        Name of the feature that this one is the log1p of.
    """

    name: str
    group: str
    formula: str
    low: float
    high: float
    cost: str
    default: float = 0.0
    transform: str = "none"
    pymfe: str | None = None
    log1p_of: str | None = None


_SUMMARY_WORDS = {
    "mean": "mean",
    "sd": "standard deviation",
    "min": "minimum",
    "max": "maximum",
    "median": "median",
    "sum": "sum",
}
S5 = ("mean", "sd", "min", "max", "median")
S3 = ("mean", "sd", "max")


def _single(name, group, formula, low, high, cost, *, pymfe=False, **more):
    return [
        MetaFeature(
            name, group, formula, low, high, cost, pymfe=name if pymfe else None, **more
        )
    ]


def _summaries(name, group, formula, low, high, cost, which, *, pymfe=False, **more):
    # Values in [low, high] may differ by more than either bound is from zero, but
    # their standard deviation (ddof 1) is at most their range over sqrt(2).
    features = []
    for summary in which:
        is_sd = summary == "sd"
        full_name = f"{name}.{summary}"
        features.append(
            MetaFeature(
                full_name,
                group,
                f"{_SUMMARY_WORDS[summary]} of: {formula}",
                0.0 if is_sd else low,
                (high - low) if is_sd else high,
                cost,
                pymfe=full_name if pymfe else None,
                **{**more, **({"default": 0.0} if is_sd else {})},
            )
        )
    return features


def _with_log1p(features):
    logs = [
        MetaFeature(
            f"log1p_{feature.name}",
            feature.group,
            f"ln(1 + {feature.name})",
            float(np.log1p(feature.low)),
            float(np.log1p(feature.high)),
            feature.cost,
            float(np.log1p(feature.default)),
            log1p_of=feature.name,
        )
        for feature in features
    ]
    return features + logs


def _general():
    group, count = "general", {"transform": "log1p", "pymfe": True}
    return [
        *_single("nr_inst", group, "rows", 0, _HUGE, "1", **count),
        *_single("nr_attr", group, "columns", 0, _HUGE, "1", **count),
        *_single("nr_class", group, "classes", 0, _HUGE, "1", **count),
        *_single("nr_num", group, "numeric columns", 0, _HUGE, "1", **count),
        *_single("nr_cat", group, "categorical columns", 0, _HUGE, "1", **count),
        *_single(
            "nr_bin",
            group,
            "columns with exactly two distinct observed values",
            0,
            _HUGE,
            "m d",
            **count,
        ),
        *_single(
            "nr_const",
            group,
            "columns with exactly one distinct observed value",
            0,
            _HUGE,
            "n d",
            transform="log1p",
        ),
        *_single("attr_to_inst", group, "d / n", 0, _HUGE, "1", **count),
        *_single("inst_to_attr", group, "n / d", 0, _HUGE, "1", **count),
        *_single("log_nr_inst", group, "ln(n)", 0, 100, "1"),
        *_single("log_nr_attr", group, "ln(d)", 0, 100, "1"),
        *_single("log_inst_to_attr", group, "ln(n / d)", -100, 100, "1"),
        *_single("pct_num", group, "nr_num / nr_attr", 0, 1, "1"),
        *_single(
            "cat_to_num", group, "nr_cat / max(1, nr_num)", 0, _HUGE, "1", **count
        ),
        *_single(
            "num_to_cat", group, "nr_num / max(1, nr_cat)", 0, _HUGE, "1", **count
        ),
        *_summaries(
            "freq_class",
            group,
            "relative frequencies of the classes",
            0,
            1,
            "n",
            ("mean", "sd", "min", "max"),
            pymfe=True,
        ),
        *_single(
            "class_ent", group, "-sum p log2(p) over classes", 0, 64, "k", pymfe=True
        ),
        *_single("c1", group, "class_ent / log2(k), 0 if k = 1", 0, 1, "k", pymfe=True),
        *_single(
            "c2",
            group,
            "1 - 1 / IR with IR = (k - 1) / k sum n_c / (n - n_c); 1 if k = 1",
            0,
            1,
            "k",
            pymfe=True,
        ),
        *_single("log_min_class", group, "ln(1 + smallest class size)", 0, 100, "k"),
        *_with_log1p(
            _summaries(
                "symbols",
                group,
                "observed levels of a categorical column",
                0,
                _HUGE,
                "n d",
                ("min", "max", "mean", "sd", "sum"),
                transform="log1p",
            )
        ),
    ]


def _missing():
    group = "missing"
    return [
        *_single("pct_missing", group, "share of cells that are missing", 0, 1, "n d"),
        *_single(
            "pct_inst_missing", group, "share of rows with a missing cell", 0, 1, "n d"
        ),
        *_single(
            "pct_attr_missing",
            group,
            "share of columns with a missing cell",
            0,
            1,
            "n d",
        ),
    ]


def _statistical():
    group = "statistical"
    return [
        *_summaries(
            "unique_frac", group, "distinct / observed values", 0, 1, "m d", S3
        ),
        *_summaries("zero_frac", group, "share of zeros", 0, 1, "n d", S3),
        *_summaries(
            "sparsity",
            group,
            "(n / distinct - 1) / (n - 1) of any column",
            0,
            1,
            "m d",
            S3,
            pymfe=True,
        ),
        *_summaries(
            "skewness",
            group,
            "m3 / s^3, s with ddof 1, 0 if constant",
            -1e6,
            1e6,
            "n d",
            S5,
            pymfe=True,
            transform="signed-log",
        ),
        *_summaries(
            "kurtosis",
            group,
            "m4 / s^4 - 3, s with ddof 1, 0 if constant",
            -1e6,
            1e6,
            "n d",
            S5,
            pymfe=True,
            transform="signed-log",
        ),
        *_summaries(
            "q_skew",
            group,
            "(q75 + q25 - 2 q50) / (q75 - q25), 0 if the IQR is 0",
            -1,
            1,
            "m d",
            S3,
        ),
        *_summaries(
            "q_tail",
            group,
            "(q97.5 - q2.5) / (q75 - q25) / 2.906 - 1, 0 if the IQR is 0",
            -1,
            1e6,
            "m d",
            S3,
            transform="signed-log",
        ),
        *_single(
            "nr_outliers",
            group,
            "columns with a value beyond 1.5 IQR of the quartiles",
            0,
            _HUGE,
            "m d",
            transform="log1p",
            pymfe=True,
        ),
        *_summaries(
            "outlier_frac", group, "share of values beyond 1.5 IQR", 0, 1, "m d", S3
        ),
        *_summaries(
            "cor",
            group,
            "absolute Pearson correlation of two non-constant columns",
            0,
            1,
            "n d^2",
            S5,
            pymfe=True,
        ),
        *_single(
            "nr_cor_attr",
            group,
            "share of pairs of numeric columns with abs(cor) >= 0.5",
            0,
            1,
            "n d^2",
            pymfe=True,
        ),
        *_single(
            "pca_frac95",
            group,
            "share of the components that explain 95 % of the correlation matrix",
            0,
            1,
            "d^3",
        ),
        *_single(
            "pca_first",
            group,
            "first eigenvalue / trace of the correlation matrix",
            0,
            1,
            "d^3",
        ),
        *_single(
            "eff_rank",
            group,
            "exp(entropy of the eigenvalues of the correlation matrix) / d",
            0,
            1,
            "d^3",
        ),
        *_single(
            "pca_skew",
            group,
            "absolute skewness of the scores of the first component",
            0,
            1e6,
            "m d",
            transform="log1p",
        ),
        *_single(
            "pca_kurt",
            group,
            "kurtosis of the scores of the first component",
            -3,
            1e6,
            "m d",
            transform="signed-log",
        ),
        *_summaries(
            "can_cor",
            group,
            "canonical correlations of numeric columns and class indicators",
            0,
            1,
            "n d^2 + d^3",
            ("mean", "max"),
            pymfe=True,
        ),
        *_single(
            "nr_disc",
            group,
            "number of canonical correlations, at most k - 1",
            0,
            _HUGE,
            "n d^2 + d^3",
            transform="log1p",
            pymfe=True,
        ),
        *_single(
            "w_lambda",
            group,
            "Wilks' lambda: product of 1 - can_cor^2",
            0,
            1,
            "n d^2 + d^3",
            default=1.0,
            pymfe=True,
        ),
        *_single(
            "log_w_lambda",
            group,
            "sum of ln(max(1 - can_cor^2, 1e-9))",
            -_HUGE,
            0,
            "n d^2 + d^3",
            transform="signed-log",
        ),
        *_single(
            "p_trace",
            group,
            "Pillai's trace: sum of can_cor^2",
            0,
            _HUGE,
            "n d^2 + d^3",
            transform="log1p",
            pymfe=True,
        ),
        *_summaries(
            "f1",
            group,
            "1 / (1 + SSB / SSW) of a non-constant column",
            0,
            1,
            "n d",
            ("mean", "min"),
            default=1.0,
            pymfe=True,
        ),
        *_single(
            "gravity_std",
            group,
            "distance of the means of the largest and the smallest class on "
            "standardised columns / sqrt(d); root mean square if sizes tie",
            0,
            1e6,
            "n d",
            transform="log1p",
        ),
    ]


def _information():
    group = "information"
    return [
        *_summaries(
            "attr_ent",
            group,
            "entropy of int(m^(1/3)) equal-frequency bins or of levels, in bits",
            0,
            64,
            "m d log(b)",
            S5,
            pymfe=True,
        ),
        *_summaries(
            "attr_ent_norm",
            group,
            "entropy / log2(occupied bins)",
            0,
            1,
            "m d log(b)",
            ("mean",),
        ),
        *_summaries(
            "mut_inf",
            group,
            "mutual information with the class, in bits",
            0,
            64,
            "m d",
            S5,
            pymfe=True,
        ),
        *_summaries(
            "mut_inf_norm",
            group,
            "max(0, mut_inf - (b - 1)(k - 1) / (2 m ln 2)) / class_ent",
            0,
            1,
            "m d",
            ("mean", "max"),
        ),
        *_summaries(
            "class_conc",
            group,
            "Goodman and Kruskal's tau of a column given the class",
            0,
            1,
            "d b k",
            ("mean", "max"),
            pymfe=True,
        ),
        *_with_log1p(
            [
                *_single(
                    "eq_num_attr",
                    group,
                    "d class_ent / sum of mut_inf; 1e6 if the sum is below 1e-9",
                    0,
                    1e6,
                    "d",
                    default=1e6,
                    transform="log1p",
                    pymfe=True,
                ),
                *_single(
                    "ns_ratio",
                    group,
                    "(sum of attr_ent - sum of mut_inf) / sum of mut_inf; 1e6 if the "
                    "sum is below 1e-9",
                    0,
                    1e6,
                    "d",
                    default=1e6,
                    transform="log1p",
                    pymfe=True,
                ),
            ]
        ),
    ]


_LANDMARKS = {
    "linear_discr": "linear discriminant analysis",
    "naive_bayes": "naive Bayes",
    "knn": "10 nearest neighbours",
    "tree": "a decision tree with 5 rows or more in a leaf",
    "best_node": "a decision tree with one split",
}


def _landmarking():
    group, cost = "landmarking", "n d, then not growing with n"
    what = "area under the ROC curve, one class against the rest, 3 folds of 600 rows"
    chance = {"default": 0.5}
    return [
        *(
            feature
            for name, learner in _LANDMARKS.items()
            for feature in _single(
                f"auc.{name}", group, f"{what}: {learner}", 0, 1, cost, **chance
            )
        ),
        *(
            feature
            for name, first, second in [
                ("auc_over_linear.naive_bayes", "naive_bayes", "linear_discr"),
                ("auc_over_linear.knn", "knn", "linear_discr"),
                ("auc_over_linear.tree", "tree", "linear_discr"),
                ("auc_over_node.tree", "tree", "best_node"),
            ]
            for feature in _single(
                name, group, f"auc.{first} - auc.{second}", -1, 1, cost
            )
        ),
    ]


_ACCURACY_LANDMARKS = {
    "one_nn": "the nearest neighbour",
    **{name: _LANDMARKS[name] for name in _LANDMARKS if name != "knn"},
}


def _accuracy_landmarking():
    group, cost = "accuracy_landmarking", "n d, then not growing with n"
    what = "balanced accuracy, 3 folds of 1000 rows"
    one_class = {"default": 1.0}
    differences = [
        ("lm_nn_minus_lin", "one_nn", "linear_discr"),
        ("lm_tree_minus_lin", "tree", "linear_discr"),
        ("lm_tree_minus_node", "tree", "best_node"),
        ("lm_lin_minus_nb", "linear_discr", "naive_bayes"),
    ]
    slopes = [("nn", "one_nn"), ("tree", "tree"), ("lin", "linear_discr")]
    return [
        *(
            feature
            for name, learner in _ACCURACY_LANDMARKS.items()
            for feature in _summaries(
                name,
                group,
                f"{what}: {learner}",
                0,
                1,
                cost,
                ("mean", "sd"),
                **one_class,
            )
        ),
        *_single("lm_default", group, "1 / k", 0, 1, "1", **one_class),
        *_single("lm_best", group, "highest of the means", 0, 1, cost, **one_class),
        *_single("lm_spread", group, "lm_best - lowest of the means", 0, 1, cost),
        *(
            feature
            for name, first, second in differences
            for feature in _single(
                name, group, f"{first}.mean - {second}.mean", -1, 1, cost
            )
        ),
        *(
            feature
            for name, learner in slopes
            for feature in _single(
                f"lm_slope_{name}",
                group,
                f"{learner}.mean - the same with a quarter of the rows",
                -1,
                1,
                cost,
            )
        ),
    ]


def _model():
    group, cost = "model", "n d, then not growing with n"
    tree = "of a decision tree of 1000 rows"
    count = {"transform": "log1p", "pymfe": True}
    return [
        *_single("nodes", group, f"nodes with a split, {tree}", 0, 1e4, cost, **count),
        *_single("leaves", group, f"leaves, {tree}", 0, 1e4, cost, **count),
        *_single("tree_depth.max", group, f"depth {tree}", 0, 1e4, cost, **count),
        *_summaries(
            "leaves_per_class",
            group,
            f"share of the leaves with most rows in a class, {tree}",
            0,
            1,
            cost,
            ("mean", "sd"),
            pymfe=True,
        ),
        *_single(
            "nodes_per_inst",
            group,
            "nodes / rows it was grown from",
            0,
            1,
            cost,
            pymfe=True,
        ),
        *_summaries(
            "var_importance",
            group,
            f"share of a column in the decrease of the Gini impurity, {tree}",
            0,
            1,
            cost,
            ("sd", "max"),
        ),
    ]


def _complexity():
    group, cost = "complexity", "n d, then not growing with n"
    return [
        *_single(
            "n2",
            group,
            "r / (1 + r), r = distances to the nearest row of the own "
            "class / to the nearest of others, summed over 1000 rows",
            0,
            1,
            cost,
        ),
        *_single(
            "n3",
            group,
            "share of 1000 rows whose nearest row is of another class",
            0,
            1,
            cost,
        ),
    ]


def _scale():
    group, most = "scale", _HUGE
    same = {"pymfe": True, "transform": "signed-log"}
    positive = {"pymfe": True, "transform": "log1p"}
    moments, sorting = "n d", "m d log m"
    summaries = [
        ("mean", "mean of a numeric column", -most, moments, same),
        ("median", "median of a numeric column", -most, sorting, same),
        ("min", "minimum of a numeric column", -most, moments, same),
        ("max", "maximum of a numeric column", -most, moments, same),
        ("range", "maximum - minimum", 0, moments, positive),
        ("sd", "standard deviation", 0, moments, positive),
        ("var", "variance", 0, moments, positive),
        (
            "mad",
            "median absolute deviation from the median, times 1.4826",
            0,
            sorting,
            positive,
        ),
        ("iq_range", "upper - lower quartile", 0, sorting, positive),
        (
            "t_mean",
            "mean without the lowest and the highest fifth",
            -most,
            sorting,
            same,
        ),
        ("cov", "absolute covariance of two numeric columns", 0, "m d^2", positive),
        ("eigenvalues", "eigenvalue of the covariances", 0, "m d^2 + d^3", positive),
    ]
    return [
        *(
            feature
            for name, formula, low, cost, more in summaries
            for feature in _summaries(name, group, formula, low, most, cost, S5, **more)
        ),
        *_single(
            "gravity",
            group,
            "distance of the means of the largest and the smallest class",
            0,
            most,
            "m d",
            transform="log1p",
            pymfe=True,
        ),
    ]


REGISTRY = (
    *_general(),
    *_missing(),
    *_statistical(),
    *_information(),
    *_landmarking(),
    *_accuracy_landmarking(),
    *_model(),
    *_complexity(),
    *_scale(),
)
GROUPS = tuple(dict.fromkeys(feature.group for feature in REGISTRY))

# What `groups=None` stands for. "fast" trains no model, "full" is what knowledge bases
# hold; in none are those that depend on units.
LEVELS = {"fast": GROUPS[:4], "full": GROUPS[:5], "complete": GROUPS[:-1]}


def select_features(groups, level):
    """Return the entries of the registry that belong to groups or to a level.

    Parameters
    ----------
    groups : iterable of str or None
        Groups wanted; None means those of `level`.
    level : str
        Key of `LEVELS`.

    Returns
    -------
    features : tuple of MetaFeature
        In the order of the registry, whatever the order of `groups`.

    Raises
    ------
    ValueError
        If a group or the level is unknown.
    """
    if level not in LEVELS:
        raise ValueError(
            f"level must be one of {sorted(LEVELS)}, got: {level!r}."
            f"{did_you_mean([level], LEVELS)}"
        )
    if isinstance(groups, str):
        groups = (groups,)
    wanted = LEVELS[level] if groups is None else tuple(groups)
    unknown = [group for group in wanted if group not in GROUPS]
    if unknown or not wanted:
        raise ValueError(
            f"groups must be None or names out of {list(GROUPS)}, got: {groups!r}."
            f"{did_you_mean(unknown, GROUPS)}"
        )
    return tuple(feature for feature in REGISTRY if feature.group in wanted)


def feature_table(features=REGISTRY):
    """Write what is known of meta-features as a table for the documentation.

    Parameters
    ----------
    features : iterable of MetaFeature
        Entries of the registry.

    Returns
    -------
    table : str
        In markdown, a line for each feature.

    Examples
    --------
    >>> from skmeta.metafeatures._registry import REGISTRY, feature_table
    >>> print(feature_table(REGISTRY[:1]))
    | name | group | definition | range | cost | default | distance | pymfe |
    |---|---|---|---|---|---|---|---|
    | `nr_inst` | general | rows | 0 to inf | 1 | 0 | log1p | `nr_inst` |
    """
    lines = [
        "| name | group | definition | range | cost | default | distance | pymfe |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for feature in features:
        cells = (
            f"`{feature.name}`",
            feature.group,
            feature.formula,
            f"{_bound(feature.low)} to {_bound(feature.high)}",
            feature.cost,
            f"{feature.default:g}",
            feature.transform,
            f"`{feature.pymfe}`" if feature.pymfe else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _bound(bound):
    return f"{bound:g}".replace(f"{_HUGE:g}", "inf")
