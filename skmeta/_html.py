"""What notebooks show: tables that suit light and dark pages, and need no network."""

from html import escape

from sklearn.utils import estimator_html_repr

from skmeta._configuration import write_hyperparameters

_N_ROWS = 10

# Longer texts are broken into lines.
_LONGEST_NAME = 35

# Colours come from the page, so that dark ones stay dark.
_STYLE = """
.skmeta {font: 13px/1.45 system-ui, sans-serif; max-width: 60em; color: inherit}
.skmeta p {margin: .4em 0}
.skmeta .scroll {overflow-x: auto}
.skmeta table {border-collapse: collapse; margin: .4em 0; color: inherit; font: inherit;
  font-variant-numeric: tabular-nums; background: transparent}
.skmeta th, .skmeta td {padding: .15em .7em .15em 0; text-align: right; border: 0;
  border-bottom: 1px solid rgba(128, 128, 128, .3); background: transparent;
  color: inherit; white-space: nowrap}
.skmeta th {font-weight: 600; opacity: .75; white-space: normal; vertical-align: bottom}
.skmeta .text {text-align: left}
.skmeta td.long {white-space: normal; min-width: 12em; overflow-wrap: anywhere}
.skmeta .narrow td.text {white-space: normal; min-width: 6em; overflow-wrap: anywhere}
.skmeta details {margin: .4em 0}
.skmeta summary {cursor: pointer}
"""

# Numbers of these columns stand below each other, whatever their size.
_DECIMALS = {
    **dict.fromkeys(["score", "std", "expected_score", "its score", "this one"], 4),
    **dict.fromkeys(["contribution"], 4),
    **dict.fromkeys(["fit_seconds", "expected_seconds", "weight"], 2),
}


def page(*parts):
    """Return parts as one piece of HTML that carries its style.

    Parameters
    ----------
    *parts : str
        HTML.

    Returns
    -------
    html : str
    """
    return f'<div class="skmeta"><style>{_STYLE}</style>{"".join(parts)}</div>'


def sentence(text):
    """Return a paragraph of text."""
    return f"<p>{escape(text)}</p>"


def section(title, content):
    """Return content that is folded away under a title."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def table(frame, n_rows=_N_ROWS, is_narrow=False):
    """Return the first rows of a table.

    Parameters
    ----------
    frame : DataFrame
        Its index is the first column. Cells are text, numbers or dicts.
    n_rows : int, default=10
        Most rows; how many are left out is said.
    is_narrow : bool, default=False
        Whether all text may be broken into lines, where many columns hold some.

    Returns
    -------
    html : str
    """
    names = [frame.index.name or "", *frame.columns]
    shown = frame.iloc[:n_rows]
    is_text = [
        any(isinstance(value, (str, dict)) for value in column)
        for column in (shown.index, *(shown[name] for name in shown.columns))
    ]
    head = "".join(
        f'<th class="text">{_title(name)}</th>' if left else f"<th>{_title(name)}</th>"
        for name, left in zip(names, is_text, strict=True)
    )
    rows = "".join(
        f"<tr>{''.join(map(_cell, names, row))}</tr>"
        for row in shown.itertuples(name=None)
    )
    more = len(frame) - len(shown)
    rest = sentence(f"and {more} more") if more > 0 else ""
    kind = ' class="narrow"' if is_narrow else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _title(name):
    return escape(str(name).replace("_", " "))


def _cell(name, value):
    if isinstance(value, dict):
        text = escape(write_hyperparameters(value))
        return f'<td class="text long">{text}</td>'
    if isinstance(value, str):
        wraps = " long" if len(value) > _LONGEST_NAME else ""
        return f'<td class="text{wraps}">{escape(value)}</td>'
    if value is None or value != value:
        return "<td></td>"
    if isinstance(value, float):
        how = f".{_DECIMALS[name]}f" if name in _DECIMALS else ".4g"
        return f"<td>{value:{how}}</td>"
    return f"<td>{escape(str(value))}</td>"


def recommendation_html(recommendation):
    """Return what is recommended, in its order, and why."""
    frame = recommendation.to_frame()
    why = f"Recommended by {recommendation.recommender} for {recommendation.metric}. "
    return sentence(why + recommendation.reason) + table(frame)


def search_html(search):
    """Return scikit-learn's diagram of an estimator, and below it what a fit found.

    Parameters
    ----------
    search : MetaLearnerClassifier or MetaHyperparamSelector

    Returns
    -------
    html : str
    """
    diagram = estimator_html_repr(search)
    if not hasattr(search, "leaderboard_"):
        return diagram
    board = search.leaderboard_
    parts = [sentence(_summary(search))]
    columns = ["learner", "score", "std", "expected_score", "fit_seconds"]
    shown = board[columns].assign(params=board["params"].map(_without_learner))
    if "weight" in board:
        shown.insert(1, "weight", board["weight"])
    if board["error"].notna().any():
        shown["error"] = board["error"].str.slice(0, 60)
    # Numbered as what was recommended, below it.
    parts.append(table(shown.set_axis(shown.index + 1).rename_axis("order")))
    recommended = recommendation_html(search.recommendation_)
    parts.append(section("What was recommended", recommended))
    if hasattr(search, "best_estimator_"):
        best = estimator_html_repr(search.best_estimator_)
        parts.append(section("The best estimator", best))
    return diagram + page(*parts)


def _summary(search):
    board = search.leaderboard_
    scoring = search.scoring if isinstance(search.scoring, str) else "score"
    scoring = "accuracy" if search.scoring is None else scoring
    best = board["learner"].loc[search.best_index_]
    text = f"{len(board)} candidates tried"
    if search.n_splits_ > 0:
        text += f" on {search.n_splits_} splits; the best is {best}, {scoring} "
        text += f"{search.best_score_:.4f}"
    else:
        text += f": {best}, compared with nothing"
    honest = getattr(search, "honest_score_", float("nan"))
    if honest == honest:
        low, high = getattr(search, "honest_interval_", (float("nan"), float("nan")))
        n_members = int((board["weight"] > 0).sum()) if "weight" in board else 1
        of = "the classifier" if n_members == 1 else f"the ensemble of {n_members}"
        text += f"; expected of {of} on new rows: {honest:.4f}"
        if low == low:
            text += f" ({low:.4f} to {high:.4f})"
    return f"{text}."


def _without_learner(params):
    return {name: value for name, value in params.items() if name != "learner"}
