_NEAREST = {
    "accuracy": ("accuracy", True),
    "balanced_accuracy": ("balanced_accuracy", True),
    "roc_auc_ovr_weighted": ("roc_auc_ovr_weighted", True),
    "neg_log_loss": ("neg_log_loss", True),
    "f1_macro": ("f1_macro", True),
    # For two classes these are the same number, or the same order.
    "roc_auc": ("roc_auc_ovr_weighted", True),
    "roc_auc_ovr": ("roc_auc_ovr_weighted", True),
    "roc_auc_ovo": ("roc_auc_ovr_weighted", True),
    "roc_auc_ovo_weighted": ("roc_auc_ovr_weighted", True),
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


def nearest_metric(scoring):
    """Find the stored metric whose order of configurations a scorer will follow best.

    Parameters
    ----------
    scoring : str, callable or None
        As in `GridSearchCV`. None is accuracy.

    Returns
    -------
    metric : str
        A metric that knowledge bases store.
    is_exact : bool
        False when the two differ. What is not listed, such as a callable, is
        taken for a metric on labels that cares for every class, and follows
        ``"f1_macro"``.

    Examples
    --------
    >>> from skmeta.recommendation import nearest_metric
    >>> nearest_metric("roc_auc")
    ('roc_auc_ovr_weighted', True)
    >>> nearest_metric("neg_brier_score")
    ('neg_log_loss', False)
    """
    if scoring is None:
        return "accuracy", True
    if isinstance(scoring, str):
        return _NEAREST.get(scoring, ("f1_macro", False))
    return "f1_macro", False
