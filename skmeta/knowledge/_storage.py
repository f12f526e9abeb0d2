import hashlib
import io
import json
import os
import secrets
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

import skmeta
from skmeta._configuration import Configuration
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._knowledge_base import KnowledgeBase, merge

# A knowledge file is a zip of JSON documents and NumPy arrays:
#
#   manifest.json         format, version, the skmeta that wrote it, and the SHA-256
#                         of every other member
#   tasks.json            {"index": [...], "columns": [[name, [...]], ...]}
#   meta_features.json    names of the columns of meta_features.npy
#   configurations.json   [{"learner": ..., "hyperparameters": {...}}, ...]
#   failures.json         [{"task": ..., "configuration": ..., "error": ...}, ...]
#   provenance.json       anything
#   *.npy                 meta_features, fit_seconds, predict_seconds, and one
#                         fold_scores.<metric> for each metric
#
# One that was merged has all but the manifest once for each of its parts, in
# directories named 0/, 1/ and so on, and format version 2.
#
# To change it: raise FORMAT_VERSION, keep reading every version before, store a
# small file of the new version as tests/knowledge/knowledge_v<version>.zip beside
# the old ones, which stay, and add a line to docs/file-format.md. What is only
# added, and may be missing, needs no new version. Nothing that can run code (no
# pickle) is ever read.
FORMAT = "skmeta-knowledge"
FORMAT_VERSION = 2
_VERSION_OF_ONE_PART = 1

_SCORES = "fold_scores."
_ARRAYS = ("meta_features", "fit_seconds", "predict_seconds")


def load_knowledge(path=None):
    """Read a knowledge base from a file, or the one that ships with skmeta.

    Parameters
    ----------
    path : str or Path, default=None
        Knowledge file. None is the shipped one.

    Returns
    -------
    knowledge : KnowledgeBase

    Raises
    ------
    KnowledgeError
        If the file is missing, damaged, something else, or written by a newer
        skmeta.

    Examples
    --------
    >>> from skmeta import load_knowledge
    >>> "neg_log_loss" in load_knowledge().metrics
    True
    """
    if path is not None:
        return _load(Path(path))
    shipped = resources.files("skmeta.knowledge") / "data" / "default.zip"
    if not shipped.is_file():
        raise KnowledgeError(
            "The knowledge base that ships with skmeta is missing from this "
            "installation. Install skmeta again, or pass the path of a knowledge file."
        )
    with resources.as_file(shipped) as path:
        return _load(path)


def _load(path):
    if path.is_dir():
        raise KnowledgeError(f"{str(path)!r} is a directory. Pass a knowledge file.")
    if not path.exists():
        raise KnowledgeError(
            f"No knowledge file {str(path)!r}. Check the path, or build one with: "
            f"python -m skmeta build."
        )
    try:
        return merge([_from_members(m) for m in _by_part(_read_members(path))])
    except KnowledgeError:
        raise
    except OSError as error:
        raise KnowledgeError(
            f"{path.name} cannot be read: {error.strerror or error}. "
            f"Check the file and its permissions."
        ) from error
    # Whatever else zipfile, json, numpy and our own checks raise on bytes that
    # are not those that were written.
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path, reason):
    return KnowledgeError(f"{path.name} is damaged: {reason}. Fetch or build it again.")


def _read_members(path):
    """Return the members of a knowledge file, after checking that they are whole."""
    foreign = KnowledgeError(
        f"{path.name} is not a knowledge file of skmeta. Pass a file written by "
        f"KnowledgeBase.save or python -m skmeta build."
    )
    if not zipfile.is_zipfile(path):
        # A knowledge file cut short has lost the directory at its end.
        raise _damaged(path, "its end is missing") if _begins_as_zip(path) else foreign
    with zipfile.ZipFile(path) as archive:
        if "manifest.json" not in archive.namelist():
            raise foreign
        manifest = json.loads(archive.read("manifest.json"))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise foreign
        if manifest["version"] > FORMAT_VERSION:
            raise KnowledgeError(
                f"{path.name} has format version {manifest['version']}, this skmeta "
                f"reads up to {FORMAT_VERSION}. Upgrade skmeta to read it."
            )
        members = {name: archive.read(name) for name in manifest["sha256"]}
    for name, expected in manifest["sha256"].items():
        if hashlib.sha256(members[name]).hexdigest() != expected:
            raise _damaged(path, f"the checksum of {name} does not match")
    return members


def _by_part(members):
    """Return the members of each part, without its directory."""
    parts = {}
    for name, content in members.items():
        directory, _, name = name.rpartition("/")
        parts.setdefault(directory, {})[name] = content
    return list(parts.values())


def _begins_as_zip(path):
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _from_members(members):
    def document(name):
        return json.loads(members[f"{name}.json"])

    def array(name):
        return np.load(io.BytesIO(members[f"{name}.npy"]), allow_pickle=False)

    tasks = document("tasks")
    index = pd.Index(tasks["index"], name="task", dtype=object)
    return KnowledgeBase(
        tasks=pd.DataFrame(dict(tasks["columns"]), index=index, dtype=object),
        meta_features=pd.DataFrame(
            array("meta_features"), index=index, columns=document("meta_features")
        ),
        configurations=[Configuration.from_dict(c) for c in document("configurations")],
        fold_scores={
            name[len(_SCORES) : -len(".npy")]: array(name[: -len(".npy")])
            for name in members
            if name.startswith(_SCORES)
        },
        fit_seconds=array("fit_seconds"),
        predict_seconds=array("predict_seconds"),
        failures=document("failures"),
        provenance=document("provenance"),
    )


def save_knowledge(knowledge, path):
    """Write a knowledge base to a file, whole or not at all.

    Parameters
    ----------
    knowledge : KnowledgeBase
        What to write. The same content gives the same bytes.
    path : str or Path
        Ends in ``.zip``.

    Raises
    ------
    ValueError
        If the path ends otherwise.
    FileNotFoundError
        If there is no such directory.
    """
    path = Path(path)
    if path.suffix != ".zip":
        raise ValueError(f"path must end in '.zip', got: {path.name!r}.")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"No directory {str(path.parent)!r} to write {path.name!r} to. "
            f"Create it first."
        )
    members = _members_of(knowledge)
    manifest = _to_json(_make_manifest(members, len(knowledge.parts)))
    _write_whole(path, {"manifest.json": manifest} | members)


def _make_manifest(members, n_parts):
    return {
        "format": FORMAT,
        "version": _VERSION_OF_ONE_PART if n_parts == 1 else FORMAT_VERSION,
        "skmeta": skmeta.__version__,
        "sha256": {
            name: hashlib.sha256(content).hexdigest()
            for name, content in members.items()
        },
    }


def _members_of(knowledge):
    """Return names and contents of all that a file holds but the manifest."""
    if len(knowledge.parts) == 1:
        return to_members(knowledge)
    return {
        f"{number}/{name}": content
        for number, part in enumerate(knowledge.parts)
        for name, content in to_members(part).items()
    }


def _write_whole(path, members):
    """Write beside the path first, so that it never holds half a file."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            _write_zip(file, members)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_zip(file, members):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # A fixed date and system, so that equal knowledge makes equal files.
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, compress_type=zipfile.ZIP_DEFLATED)


def to_members(knowledge):
    """Return names and contents of the files that hold a knowledge base.

    Parameters
    ----------
    knowledge : KnowledgeBase
        Taken as one, whether or not it was merged.

    Returns
    -------
    members : dict of str to bytes
        Sorted by name. The same for what is equal.
    """
    tasks = knowledge.tasks
    documents = {
        "tasks": {
            "index": tasks.index.tolist(),
            "columns": [[name, tasks[name].tolist()] for name in tasks.columns],
        },
        "meta_features": knowledge.meta_features.columns.tolist(),
        "configurations": [c.to_dict() for c in knowledge.configuration_values],
        "failures": knowledge.failures.to_dict("records"),
        "provenance": knowledge.provenance,
    }
    arrays = {name: getattr(knowledge, name).to_numpy() for name in _ARRAYS}
    arrays |= {_SCORES + m: knowledge.fold_scores(m) for m in knowledge.metrics}
    members = {f"{name}.json": _to_json(value) for name, value in documents.items()}
    members |= {f"{name}.npy": _to_npy(value) for name, value in arrays.items()}
    return dict(sorted(members.items()))


def preview(knowledge):
    """Return what a file would hold, in a form that a person can read.

    Parameters
    ----------
    knowledge : KnowledgeBase

    Returns
    -------
    contents : dict of str to (DataFrame, list or dict)
        By the name of the member; the folds of scores side by side.
    """
    members = _members_of(knowledge)
    contents = {"manifest.json": _make_manifest(members, len(knowledge.parts))}
    for name, content in members.items():
        directory, _, base = name.rpartition("/")
        part = knowledge.parts[int(directory or 0)]
        stem, _, suffix = base.rpartition(".")
        if suffix == "json":
            value = json.loads(content)
            if stem == "tasks":
                value = pd.DataFrame(dict(value["columns"]), index=value["index"])
        else:
            values = np.load(io.BytesIO(content), allow_pickle=False)
            columns = list(part.configurations.index)
            if stem == "meta_features":
                columns = list(part.meta_features.columns)
            elif values.ndim == 3:
                folds = range(values.shape[2])
                columns = pd.MultiIndex.from_product([columns, folds])
                values = values.reshape(len(values), -1)
            value = pd.DataFrame(values, index=part.tasks.index, columns=columns)
        contents[name] = value
    return contents


def _to_json(value):
    return json.dumps(value, sort_keys=True, allow_nan=False).encode()


def _to_npy(values):
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values), allow_pickle=False)
    return buffer.getvalue()
