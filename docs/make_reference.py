"""Write the pages that are generated from the catalogue and the registry.

    python docs/make_reference.py

A test fails when the pages in this folder are not what the code says.
"""

from pathlib import Path

from skmeta import load_knowledge
from skmeta._base_learners import AUGMENTATION, BASE_LEARNERS, default_configurations
from skmeta.metafeatures._registry import feature_table

HERE = Path(__file__).parent


def base_learners_page():
    """Return the page of the catalogue as Markdown."""
    lines = [
        "# Base learners and their hyperparameters",
        "",
        "Written by `python docs/make_reference.py`; do not edit. Each is a pipeline "
        "of an encoder for tables and a classifier. `table__` stands before what is "
        "meant for the encoder. Besides, each takes `table__augmentation`: "
        f"{AUGMENTATION.describe()}; class weights only where the classifier takes "
        f"`sample_weight`.",
    ]
    for name, learner in BASE_LEARNERS.items():
        classifier = learner.estimator.replace(":", ".")
        lines += ["", f"## {name}", "", f"`{classifier}`.", ""]
        if learner.max_rows < float("inf"):
            lines += [f"Offered up to {learner.max_rows:,} rows.", ""]
        lines += ["| hyperparameter | default | values |", "|---|---|---|"]
        lines += [
            f"| `{h.name}` | `{h.default!r}` | {h.describe()} |"
            for h in learner.space.hyperparameters
        ]
        lines += ["", "Configurations that knowledge is built from:", ""]
        lines += [
            f"- `{dict(configuration.hyperparameters)}`"
            for configuration in default_configurations([name])
        ]
    return "\n".join(lines) + "\n"


def meta_features_page():
    """Return the page of the meta-features as Markdown."""
    lines = [
        "# Meta-features",
        "",
        "Written by `python docs/make_reference.py`; do not edit. n rows, d columns, "
        "k classes, b bins, m = min(n, 20000) rows.",
        "",
        '`level="fast"` are the groups general, missing, statistical and information; '
        '`"full"` adds landmarking, and is what knowledge bases hold; `"complete"` '
        "all but scale, which depends on units and is there to compare with others.",
        "",
        "Names shared with pymfe 0.4.4 have its definition, computed exactly. Where "
        "figures differ:",
        "",
        "- pymfe adds 1e-8 to every cell of a joint table, so that its `mut_inf`, "
        "`eq_num_attr`, `ns_ratio` and `class_conc` are off in the fifth digit; its "
        "canonical correlations (`can_cor`, `p_trace`, `w_lambda`) end an iteration at "
        "1e-6.",
        "- With a constant column its `cor`, `kurtosis` and `skewness` are NaN; here "
        "constant columns do not count.",
        "- Above 20,000 rows, what needs sorting sees a sample; moments see all rows.",
        "- The tree of the group model has at most 1,000 rows, pymfe's all; up to "
        "1,000 rows they are alike but for ties.",
        "- `one_nn`, `naive_bayes`, `linear_discr` and `best_node` are pymfe's names, "
        "but balanced accuracies on standardised columns, in folds that do not depend "
        "on the order of the rows, as pymfe's do.",
        "- `gravity` of classes that tie in size is the root mean square over all "
        "pairs; pymfe takes the first.",
    ]
    return "\n".join([*lines, "", feature_table()]) + "\n"


def _count_tasks(knowledge, learner):
    of_learner = knowledge.configurations["learner"] == learner
    names = knowledge.configurations.index[of_learner]
    failures = knowledge.failures
    failed = failures["task"][failures["configuration"].isin(names)]
    is_scored = knowledge.scores("accuracy")[names].notna().any(axis=1)
    return len(set(is_scored.index[is_scored]) | set(failed))


def knowledge_page():
    """Return the model card of the shipped knowledge base as Markdown."""
    knowledge = load_knowledge()
    tasks, provenance = knowledge.tasks, knowledge.provenance
    protocol, versions = provenance["protocol"], provenance["versions"]
    learners = knowledge.configurations["learner"].value_counts(sort=False)
    failed = knowledge.failures.merge(
        knowledge.configurations, left_on="configuration", right_index=True
    )
    lines = [
        "# The knowledge base that ships with skmeta",
        "",
        "Written by `python docs/make_reference.py`; do not edit. A model card of "
        "`skmeta.load_knowledge()`.",
        "",
        f"**What it holds.** {len(tasks)} tasks of {tasks['family'].nunique()} "
        f"families x {len(knowledge.configurations)} configurations; "
        f"{', '.join(knowledge.metrics)}; seconds of fits and predictions; "
        f"{len(knowledge.meta_features.columns)} meta-features. Derived figures only: "
        f"no row of any table, and no name of a column, is in it.",
        "",
        f"**Sizes.** Rows {_spread(tasks['n_rows'])}; columns "
        f"{_spread(tasks['n_features'])}; classes {_spread(tasks['n_classes'])} "
        f"(least, median, greatest).",
        "",
        f"**Protocol.** At most {protocol['max_rows']:,} rows a table, a stratified "
        f"sample of larger ones (`n_rows_evaluated`); classes with fewer rows than "
        f"folds left out; {protocol['n_folds']} stratified, shuffled folds; seed "
        f"{protocol['random_state']}; one thread and at most "
        f"{protocol['time_limit']:g} seconds for each fit. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        "",
        "**Metrics.** `accuracy`, `balanced_accuracy` and `f1_macro` are those of the "
        "most probable class, `roc_auc_ovr_weighted` and `neg_log_loss` those of the "
        "probabilities. Where they are stored, names that end in `_tuned` are of "
        "labels by class weights, and `neg_log_loss_calibrated` of probabilities after "
        "one temperature, each tuned on the other folds. Margins become probabilities "
        "by a sigmoid fitted out of fold.",
        "",
        "**Known weaknesses.** Seconds are those of one shared machine. Label metrics "
        "of the most probable class flatter learners that put their threshold far from "
        "a half where classes are skewed. Tables are those that others found worth "
        "publishing: medical ones abound, large ones and ones with text are rare.",
        "",
        "**To rebuild** it from a folder of tables (parquet or CSV, target in the "
        "column `__target__`) with an index of families; `--resume` goes on after a "
        "stop, and adds tables and configurations to a finished file:",
        "",
        "    python -m skmeta build TABLES/ --index TABLES/index.csv "
        "--output default.zip \\",
        f"        --n-jobs 2 --n-folds {protocol['n_folds']} --max-rows "
        f"{protocol['max_rows']} --time-limit {protocol['time_limit']:g} --resume",
        "",
        "## Base learners",
        "",
        "| base learner | configurations | tasks tried on | failures |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {learner} | {count} | {_count_tasks(knowledge, learner)} | "
        f"{(failed['learner'] == learner).sum()} |"
        for learner, count in learners.items()
    ]
    lines += ["", "## Tables left out", ""]
    lines += [f"- {n}: {why}" for n, why in provenance["left_out"].items()] or ["None."]
    lines += [
        "",
        "## Tasks",
        "",
        "Licence notes are those of the copy that was read.",
        "",
        "| task | family | domain | rows | columns | classes | source | licence |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {task.Index} | {task.family} | {task.domain} | {task.n_rows} | "
        f"{task.n_features} | {task.n_classes} | {task.source or ''} | "
        f"{task.licence_note or ''} |"
        for task in tasks.itertuples()
    ]
    return "\n".join(lines) + "\n"


def _spread(values):
    return ", ".join(f"{values.quantile(q):,.0f}" for q in (0, 0.5, 1))


PAGES = {
    "knowledge.md": knowledge_page,
    "base-learners.md": base_learners_page,
    "meta-features.md": meta_features_page,
}


def write():
    """Write every page."""
    for name, make in PAGES.items():
        (HERE / name).write_text(make())


if __name__ == "__main__":
    write()
