import json
import os
import secrets
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from skmeta._configuration import Configuration
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._knowledge_base import KnowledgeBase

# "skme"; what a file of SQLite says of the program that it belongs to.
_APPLICATION = 0x736B6D65
_VERSION = 1

_PATIENCE = 30.0

_TABLES = (
    "CREATE TABLE journal (id TEXT NOT NULL)",
    "CREATE TABLE fits (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "experience TEXT NOT NULL)",
    "CREATE TABLE losses (base TEXT, metric TEXT, n_fits INTEGER, loss REAL, "
    "PRIMARY KEY (base, metric, n_fits))",
)


class Journal:
    """What fits have learned, in a file that many processes may write to at once.

    The file is an SQLite database with a write-ahead log. What `record` has returned
    from is on disk, whatever happens to the process then. There are no rows in it and
    no names of columns or classes: meta-features, configurations, scores, seconds and
    a hash of each table.

    Parameters
    ----------
    path : str or Path
        The file; it is made when something is recorded. Not on a network drive,
        where SQLite's locks do not hold.
    patience : float, default=30.0
        Seconds to wait for other processes that are writing.

    Raises
    ------
    KnowledgeError
        If there is a file that is something else, damaged, or of a newer skmeta.
    FileNotFoundError
        If there is no such directory.

    See Also
    --------
    KnowledgeBase.learn_from : A knowledge base with what a journal holds.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skmeta import MetaLearnerClassifier
    >>> from skmeta.knowledge import Journal
    >>> with TemporaryDirectory() as directory:
    ...     path = f"{directory}/mine.db"
    ...     clf = MetaLearnerClassifier(experience=path, n_candidates=2, random_state=0)
    ...     clf = clf.fit(*load_iris(return_X_y=True))
    ...     len(Journal(path))
    1
    """

    def __init__(self, path, patience=_PATIENCE):
        # Some names mean something else to SQLite, unless a directory comes first.
        self.path = Path(path).absolute()
        self.patience = patience
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"No directory {str(self.path.parent)!r} for the journal "
                f"{self.path.name!r}. Create it first."
            )
        if self.path.is_dir():
            raise KnowledgeError(f"{str(path)!r} is a directory. Give a file.")
        with self._connect():
            pass

    def __len__(self):
        """Return the number of fits."""
        with self._connect() as connection:
            if connection is None:
                return 0
            return connection.execute("SELECT COUNT(*) FROM fits").fetchone()[0]

    def __repr__(self):
        return f"Journal: {len(self)} fits in {self.path.name}"

    @property
    def identity(self):
        """Hexadecimal digits that no other journal has; None before the first fit."""
        with self._connect() as connection:
            if connection is None:
                return None
            return connection.execute("SELECT id FROM journal").fetchone()[0]

    def record(self, experience):
        """Add what a fit has learned.

        Parameters
        ----------
        experience : dict
            What JSON can hold: ``fingerprint``, ``table``, ``sizes``,
            ``meta_features``, ``versions`` and ``trials``.

        Raises
        ------
        ValueError
            If something of that is missing, or no trial has a score.
        OSError
            If it cannot be written.
        """
        _check(experience)
        text = json.dumps(experience, allow_nan=False)
        with self._connect(create=True) as connection:
            connection.execute("INSERT INTO fits (experience) VALUES (?)", (text,))

    def knowledge(self, n_fits=None):
        """Return what the fits have learned as a knowledge base.

        Parameters
        ----------
        n_fits : int, default=None
            Only the first ones; None is all.

        Returns
        -------
        knowledge : KnowledgeBase

        Raises
        ------
        KnowledgeError
            If the journal holds no fit, or is damaged.
        """
        rows = []
        with self._connect() as connection:
            if connection is not None:
                [identity] = connection.execute("SELECT id FROM journal").fetchone()
                rows = connection.execute(
                    "SELECT experience FROM fits ORDER BY number LIMIT ?",
                    (-1 if n_fits is None else n_fits,),
                ).fetchall()
        if not rows:
            raise KnowledgeError(
                f"{self.path.name} must hold a fit, got none. Fit a classifier with "
                f"experience={str(self.path)!r} first."
            )
        try:
            fits = [json.loads(text) for [text] in rows]
            for fit in fits:
                _check(fit)
        except ValueError as error:
            raise KnowledgeError(
                f"{self.path.name} is damaged: {error} Give another file."
            ) from error
        return _assemble(fits, identity)

    def losses(self, base, metric):
        """Return what a knowledge base would lose that learned from the first fits.

        Parameters
        ----------
        base : str
            Its digest.
        metric : str
            A stored one.

        Returns
        -------
        losses : dict of int to float
            By the number of fits. What `add_loss` was given.
        """
        with self._connect() as connection:
            if connection is None:
                return {}
            return dict(
                connection.execute(
                    "SELECT n_fits, loss FROM losses WHERE base = ? AND metric = ?",
                    (base, metric),
                ).fetchall()
            )

    def add_loss(self, base, metric, n_fits, loss):
        """Remember what a knowledge base would lose that learned from the first fits.

        Parameters
        ----------
        base : str
            Its digest.
        metric : str
            A stored one.
        n_fits : int
            How many of them.
        loss : float
            On tasks of its own.
        """
        with self._connect(create=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO losses VALUES (?, ?, ?, ?)",
                (base, metric, n_fits, loss),
            )

    @contextmanager
    def _connect(self, create=False):
        """Give a connection in a transaction; None if nothing was recorded yet.

        For each use a new one: it must not be taken along into another process.
        """
        # Not every Python has it.
        import sqlite3

        if not create and not self.path.exists():
            yield None
            return
        try:
            with closing(self._open(create)) as connection:
                connection.execute("BEGIN")
                is_new = self._is_new(connection)
                if is_new and not create:
                    yield None
                    return
                if create:
                    # From here on no other process writes.
                    connection.execute("COMMIT")
                    if is_new:
                        self._use_write_ahead_log(connection)
                    connection.execute("BEGIN IMMEDIATE")
                    if self._is_new(connection):
                        _make_tables(connection)
                yield connection
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise OSError(
                f"The journal {self.path.name} cannot be used: {error}. Check the "
                f"file, its directory and the space on the disk."
            ) from error
        except sqlite3.DatabaseError as error:
            raise KnowledgeError(
                f"{self.path.name} is no journal, or it is damaged: {error}. Give "
                f"another file."
            ) from error

    def _open(self, create):
        import sqlite3

        # A file that nobody may write to does not change either.
        can_write = create or os.access(self.path, os.W_OK)
        connection = sqlite3.connect(
            self.path if can_write else f"{self.path.as_uri()}?immutable=1",
            timeout=self.patience,
            isolation_level=None,
            uri=not can_write,
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _use_write_ahead_log(self, connection):
        """Switch to it, which SQLite does not wait for while others do the same."""
        import sqlite3

        deadline = time.monotonic() + self.patience
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _is_new(self, connection):
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [version] = connection.execute("PRAGMA user_version").fetchone()
        [n_tables] = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if application == 0 and n_tables == 0:
            return True
        if application != _APPLICATION:
            raise KnowledgeError(
                f"{self.path.name} is a database of another program. Give another file."
            )
        if version > _VERSION:
            raise KnowledgeError(
                f"{self.path.name} is a journal of version {version}, this skmeta "
                f"reads up to {_VERSION}. Upgrade skmeta to use it."
            )
        return False


_SIZES = ("n_rows", "n_features", "n_classes", "n_rows_evaluated")


def _check(experience):
    """Raise an error unless a knowledge base can be made of it."""
    try:
        texts = [experience["fingerprint"], experience["table"]]
        sizes = [experience["sizes"][name] for name in _SIZES]
        numbers = [*sizes, *experience["meta_features"].values()]
        scores = [trial["scores"] for trial in experience["trials"]]
        errors = [trial["error"] for trial in experience["trials"]]
        configurations = [trial["configuration"] for trial in experience["trials"]]
        has_all = (
            all(isinstance(text, str) for text in texts)
            and np.isfinite(np.array(numbers, dtype=np.float64)).all()
            and len(numbers) > len(sizes)
            and any(scores)
            and len(errors) == len(configurations)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"An experience must hold a fingerprint, a table, sizes, meta-features and "
            f"trials, got none or another: {error!r}."
        ) from error
    if not has_all:
        raise ValueError(
            "An experience must hold finite meta-features and a trial with scores, got "
            "one without."
        )


def _make_tables(connection):
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO journal VALUES (?)", (secrets.token_hex(16),))
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")


def _assemble(fits, identity):
    """Return a knowledge base with a task for each fit."""
    seen = Counter()
    names = []
    for fit in fits:
        short = fit["fingerprint"][:12]
        seen[short] += 1
        names.append(short if seen[short] == 1 else f"{short}.{seen[short]}")
    trials = [
        (row, Configuration.from_dict(trial["configuration"]), trial)
        for row, fit in enumerate(fits)
        for trial in fit["trials"]
    ]
    configurations = {
        configuration.name: configuration for _, configuration, _ in trials
    }
    index = pd.Index(names, name="task", dtype=object)
    return KnowledgeBase(
        tasks=pd.DataFrame([_task_of(fit) for fit in fits], index=index),
        meta_features=_meta_features_of(fits, index),
        configurations=list(configurations.values()),
        failures=[
            {
                "task": names[row],
                "configuration": configuration.name,
                "error": trial["error"],
            }
            for row, configuration, trial in trials
            if trial["error"] is not None
        ],
        provenance={"journal": {"id": identity, "n_fits": len(fits)}},
        **_cells_of(trials, len(fits), list(configurations)),
    )


def _task_of(fit):
    return {
        # Fits on one table are one family, whatever estimators took part.
        "family": fit["table"][:12],
        "domain": "",
        **fit["sizes"],
        "fingerprint": fit["fingerprint"],
        "table": fit["table"],
        "versions": fit["versions"],
    }


def _meta_features_of(fits, index):
    """Return those that all fits have, whatever skmeta computed them."""
    values = [fit["meta_features"] for fit in fits]
    names = [name for name in values[0] if all(name in each for each in values)]
    return pd.DataFrame([[v[n] for n in names] for v in values], index, names)


def _cells_of(trials, n_fits, names):
    column = {name: i for i, name in enumerate(names)}
    metrics = sorted({metric for _, _, trial in trials for metric in trial["scores"]})
    n_folds = max(len(s) for _, _, trial in trials for s in trial["scores"].values())
    shape = (n_fits, len(names))
    scores = {m: np.full((*shape, n_folds), np.nan) for m in metrics}
    seconds = {n: np.full(shape, np.nan) for n in ("fit_seconds", "predict_seconds")}
    for row, configuration, trial in trials:
        j = column[configuration.name]
        for metric, values in trial["scores"].items():
            scores[metric][row, j, : len(values)] = values
        if trial["scores"]:
            for name, values in seconds.items():
                values[row, j] = np.nan if trial[name] is None else trial[name]
    return {"fold_scores": scores, **seconds}
