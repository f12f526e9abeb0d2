"""Say in text what knowledge bases hold, and where two differ."""

import numpy as np
import pandas as pd

from skmeta._messages import did_you_mean, shorten, wrap
from skmeta.knowledge._merging import task_keys

# What says most of a learner, if it is there.
_PREFERRED = ("balanced_accuracy_tuned", "balanced_accuracy", "accuracy")
_N_NAMED = 8

# What fits into 80 columns: the headers of what is shown, and widths of names.
_OF_LEARNERS = {"learner": "learner", "best_on": "best on", "evaluated": "fits",
                "configurations": "configurations", "failed": "failed",
                "fit_seconds": "seconds"}  # fmt: skip
_OF_TASKS = {"task": "task", "n_rows": "rows", "n_features": "columns",
             "n_classes": "classes", "best": "best", "score": "score"}  # fmt: skip
_LEARNER_WIDTH, _TASK_WIDTH, _BEST_WIDTH = 31, 22, 20


def check_metric(metric, stored):
    """Raise an error if a metric is not among those that are stored."""
    if metric not in stored:
        raise ValueError(
            f"metric must be one of {list(stored)}, got: {metric!r}."
            f"{did_you_mean([metric], stored)}"
        )


def choose_metric(knowledge, metric=None):
    """Return the metric that a report is about.

    Parameters
    ----------
    knowledge : KnowledgeBase
    metric : str, default=None
        None chooses balanced accuracy, if that is known.

    Returns
    -------
    metric : str

    Raises
    ------
    ValueError
        If it is not stored.
    """
    if metric is not None:
        check_metric(metric, knowledge.metrics)
    known = (name for name in _PREFERRED if name in knowledge.metrics)
    return metric or next(known, knowledge.metrics[0])


def summarize_learners(knowledge, metric):
    """Return a row for each base learner: what is known of it, and where it is best.

    Parameters
    ----------
    knowledge : KnowledgeBase
    metric : str

    Returns
    -------
    summary : DataFrame
        Indexed by ``learner``: the tasks one of its configurations is ``best_on``, the
        fits ``evaluated``, ``configurations``, the fits that ``failed``, and what a
        fold takes to fit, ``fit_seconds``: the median of the medians over tasks.
    """
    scores = knowledge.scores(metric)
    learner_of = knowledge.configurations["learner"]
    best = scores.dropna(how="all").idxmax(axis=1).map(learner_of)
    failures = knowledge.failures["configuration"].map(learner_of)
    evaluated = scores.notna().sum().groupby(learner_of).sum()
    seconds = knowledge.fit_seconds.median().groupby(learner_of)
    return (
        pd.DataFrame(
            {
                # The middle is what narrow terminals leave out.
                "best_on": best.value_counts(),
                "evaluated": evaluated,
                "configurations": learner_of.value_counts(),
                "failed": failures.value_counts(),
                "fit_seconds": seconds.median(),
            }
        )
        .rename_axis("learner")
        .fillna({"failed": 0, "best_on": 0})
        .astype({"failed": int, "best_on": int})
        .sort_values(["best_on", "evaluated"], ascending=False, kind="stable")
    )


def summarize_tasks(knowledge, metric):
    """Return a row for each task: what is known of it, and what is best on it.

    Parameters
    ----------
    knowledge : KnowledgeBase
    metric : str

    Returns
    -------
    summary : DataFrame
        Indexed by ``task``.
    """
    scores = knowledge.scores(metric)
    some = scores.notna().any(axis=1)
    tasks = knowledge.tasks[["family", "domain", "n_rows", "n_features", "n_classes"]]
    return tasks.assign(
        evaluated=scores.notna().sum(axis=1),
        best=scores[some].idxmax(axis=1),
        score=scores.max(axis=1),
    )


def describe(knowledge, metric=None, with_tasks=False):
    """Return what a knowledge base holds, as text for a terminal.

    Parameters
    ----------
    knowledge : KnowledgeBase
    metric : str, default=None
        Decides what is best; None is balanced accuracy, if that is known.
    with_tasks : bool, default=False
        List every task.

    Returns
    -------
    text : str
        In 80 columns; long names are without their ends.
    """
    metric = choose_metric(knowledge, metric)
    domains = knowledge.tasks["domain"]
    lines = [repr(knowledge)]
    known = domains[domains != ""].value_counts()
    if len(known):
        named = [f"{name} {count}" for name, count in known[:_N_NAMED].items()]
        more = f", and {len(known) - _N_NAMED} more" if len(known) > _N_NAMED else ""
        lines.append(wrap(f"{', '.join(named)}{more}.", "Domains: "))
    rows = knowledge.tasks["n_rows"]
    lines.append(
        f"Rows: {rows.min():,} to {rows.max():,}, median {rows.median():,.0f}."
    )
    lines.append(wrap(f"{', '.join(knowledge.metrics)}.", "Metrics: "))
    if len(knowledge.parts) > 1:
        lines.append(f"Merged from {len(knowledge.parts)} parts:")
    lines += [_describe_origin(part) for part in knowledge.parts]
    learners = summarize_learners(knowledge, metric).reset_index()
    learners["learner"] = [shorten(n, _LEARNER_WIDTH) for n in learners["learner"]]
    shown = _as_text(learners, _OF_LEARNERS)
    lines += ["", f"Base learners, best by {metric}:", shown]
    if with_tasks:
        tasks = summarize_tasks(knowledge, metric).reset_index()
        tasks["task"] = [shorten(name, _TASK_WIDTH) for name in tasks["task"]]
        best = tasks["best"].map(knowledge.configurations["learner"]).fillna("")
        tasks["best"] = [shorten(name, _BEST_WIDTH) for name in best]
        lines += ["", f"Tasks, best by {metric}:", _as_text(tasks, _OF_TASKS)]
    return "\n".join(lines)


def _listed(names):
    more = f", and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more


def _describe_origin(part):
    protocol = part.provenance.get("protocol", {})
    versions = part.provenance.get("versions", {})
    said = [f"{len(part.tasks)} tasks"]
    if "n_folds" in protocol:
        said.append(f"{protocol['n_folds']} folds")
    if "max_rows" in protocol:
        said.append(f"up to {protocol['max_rows']:,} rows")
    said += [f"{name} {version}" for name, version in sorted(versions.items())]
    return wrap(f"{', '.join(said)}; digest {part.digest[:8]}.", "Evaluated: ")


def _as_text(frame, headers):
    return frame[list(headers)].to_string(
        header=list(headers.values()),
        index=False,
        na_rep="",
        float_format="{:.4g}".format,
    )


def compare(a, b, name_a="first", name_b="second"):
    """Return where two knowledge bases differ, as text for a terminal.

    Parameters
    ----------
    a, b : KnowledgeBase
    name_a, name_b : str
        What to call them.

    Returns
    -------
    text : str
    """
    if a == b:
        return f"{name_a} and {name_b} hold the same."
    keys_a, keys_b = _named_keys(a), _named_keys(b)
    lines = [f"{name_a}: {a!r}", f"{name_b}: {b!r}", ""]
    lines += _compare_sets("tasks", keys_a, keys_b, name_a, name_b)
    configurations_a, configurations_b = (
        {name: name for name in k.configurations.index} for k in (a, b)
    )
    lines += _compare_sets(
        "configurations", configurations_a, configurations_b, name_a, name_b
    )
    for what in ("metrics", "meta_features"):
        sets = [{name: name for name in getattr(k, what)} for k in (a, b)]
        if sets[0] != sets[1]:
            lines += _compare_sets(what.replace("_", "-"), *sets, name_a, name_b)
    lines += _compare_scores(a, b, keys_a, name_a, name_b)
    if a.provenance != b.provenance:
        lines.append("Their provenance differs.")
    return "\n".join(lines)


def _named_keys(knowledge):
    tasks = knowledge.tasks
    return dict(zip(task_keys(tasks), tasks.index, strict=True))


def _compare_sets(what, named_a, named_b, name_a, name_b):
    common = named_a.keys() & named_b.keys()
    lines = [f"{what.capitalize()}: {len(common)} in both."]
    for name, here, there in ((name_a, named_a, named_b), (name_b, named_b, named_a)):
        alone = [value for key, value in here.items() if key not in there]
        if alone:
            more = (
                f", and {len(alone) - _N_NAMED} more" if len(alone) > _N_NAMED else ""
            )
            named = ", ".join(alone[:_N_NAMED])
            lines.append(
                wrap(f"only in {name}: {len(alone)} ({named}{more})", first="  ")
            )
    return lines


def _compare_scores(a, b, names, name_a, name_b):
    lines, same = [], []
    for metric in [m for m in a.metrics if m in b.metrics]:
        first, second = _keyed_scores(a, metric), _keyed_scores(b, metric)
        first, second = first.align(second, join="inner")
        change = np.abs(second - first).to_numpy()
        in_both, differs = ~np.isnan(change), change > 1e-6
        if not differs.any():
            same += [metric] if in_both.any() else []
            continue
        row, column = np.unravel_index(np.nanargmax(change), change.shape)
        task, configuration = names[first.index[row]], first.columns[column]
        said = (
            f"Scores by {metric}: {in_both.sum():,} in both, of which "
            f"{differs.sum():,} differ, by {change[differs].mean():.3g} in the mean; "
            f"most {configuration} on {task}, {first.iat[row, column]:.4g} in {name_a} "
            f"and {second.iat[row, column]:.4g} in {name_b}."
        )
        lines.append(wrap(said))
    if same:
        lines.append(wrap(f"What both have is the same by {', '.join(same)}."))
    return lines


def _keyed_scores(knowledge, metric):
    scores = knowledge.scores(metric).set_axis(task_keys(knowledge.tasks))
    return scores[~scores.index.duplicated()]
