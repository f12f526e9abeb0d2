from sklearn.metrics import get_scorer, get_scorer_names

from skmeta._messages import brief, did_you_mean

# Name of a scorer to the stored metric that it follows, and whether the two put
# configurations in the same order on every task.
_NEAREST = {
    "accuracy": ("accuracy", True),
    "balanced_accuracy": ("balanced_accuracy", True),
    "roc_auc_ovr_weighted": ("roc_auc_ovr_weighted", True),
    "neg_log_loss": ("neg_log_loss", True),
    "f1_macro": ("f1_macro", True),
    "roc_auc": ("roc_auc_ovr_weighted", True),
    # The same for two classes; for more they average over classes or pairs.
    "roc_auc_ovr": ("roc_auc_ovr_weighted", False),
    "roc_auc_ovo": ("roc_auc_ovr_weighted", False),
    "roc_auc_ovo_weighted": ("roc_auc_ovr_weighted", False),
    # Where each row has one class these are other names of the same number.
    "f1_micro": ("accuracy", True),
    "precision_micro": ("accuracy", True),
    "recall_micro": ("accuracy", True),
    "recall_macro": ("balanced_accuracy", True),
    "average_precision": ("roc_auc_ovr_weighted", False),
    "neg_brier_score": ("neg_log_loss", False),
    "d2_brier_score": ("neg_log_loss", False),
    "d2_log_loss_score": ("neg_log_loss", False),
    "top_k_accuracy": ("neg_log_loss", False),
    "jaccard_macro": ("f1_macro", False),
    "matthews_corrcoef": ("f1_macro", False),
    "f1": ("f1_macro", False),
    "f1_weighted": ("f1_macro", False),
}
_NEAREST_OF_UNKNOWN = ("f1_macro", False)


def check_is_metric(scoring):
    """Raise an error unless something is what scikit-learn can score by.

    Parameters
    ----------
    scoring : str, callable or None
        The user's.

    Raises
    ------
    ValueError
        If it is something else, or a name that nobody knows.
    """
    known = get_scorer_names()
    is_name = isinstance(scoring, str)
    if not (scoring is None or callable(scoring) or (is_name and scoring in known)):
        names = [scoring] if is_name else []
        raise ValueError(
            f"scoring must be one metric (a name of sklearn.metrics.get_scorer_names()"
            f", a callable or None), got: {brief(scoring)}.{did_you_mean(names, known)}"
        )


def nearest_metric(scoring):
    """Find the stored metric whose order of configurations a scorer will follow best.

    Parameters
    ----------
    scoring : str, callable or None
        As in `GridSearchCV`. None is accuracy. A callable that `get_scorer` or
        `make_scorer` gave is recognized by what it computes.

    Returns
    -------
    metric : str
        A metric that knowledge bases store.
    is_exact : bool
        Whether the two put configurations in the same order. What is not listed,
        such as a function of the user's own, is taken for a metric on labels that
        cares for every class, and follows ``"f1_macro"``, not exactly: it lies
        between accuracy and balanced accuracy.

    Raises
    ------
    ValueError
        If it is a name that scikit-learn has no scorer of.

    Examples
    --------
    >>> from skmeta.recommendation import nearest_metric
    >>> nearest_metric("roc_auc")
    ('roc_auc_ovr_weighted', True)
    >>> nearest_metric("neg_brier_score")
    ('neg_log_loss', False)
    """
    check_is_metric(scoring)
    if scoring is None:
        return "accuracy", True
    name = scoring if isinstance(scoring, str) else _name_of(scoring)
    return _NEAREST.get(name, _NEAREST_OF_UNKNOWN)


def _name_of(scorer):
    """Return the name under which scikit-learn has a scorer, None if it has none."""
    # Scorers do not compare as equal, but what they print is all that they do.
    # Not every scikit-learn that we support knows all of the names.
    for name in sorted(set(_NEAREST).intersection(get_scorer_names())):
        if _description(get_scorer(name)) == _description(scorer):
            return name
    return None


def _description(scorer):
    # Of no effect with the averages that are listed, and not always given.
    return repr(scorer).replace(", pos_label=None", "")
