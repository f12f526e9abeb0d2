import hashlib
import io
import json
import os
import pickle
import re
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from skmeta import Configuration, KnowledgeBase, load_knowledge
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._scoring import METRICS

# Written by KnowledgeBase.save at format versions 1 and 2. They stay as they are: every
# later skmeta has to read them.
KNOWLEDGE_V1 = Path(__file__).with_name("knowledge_v1.zip")
KNOWLEDGE_V2 = Path(__file__).with_name("knowledge_v2.zip")


@pytest.fixture
def knowledge_file(tiny_knowledge, tmp_path):
    path = tmp_path / "knowledge.zip"
    tiny_knowledge.save(path)
    return path


def read_members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def replace_member(path, name, content):
    """Put another member into a knowledge file, with the checksum to go with it."""
    members = read_members(path)
    manifest = json.loads(members["manifest.json"])
    manifest["sha256"][name] = hashlib.sha256(content).hexdigest()
    members |= {name: content, "manifest.json": json.dumps(manifest).encode()}
    write_members(path, members)


def change_manifest(path, **changes):
    members = read_members(path)
    manifest = json.loads(members["manifest.json"]) | changes
    write_members(path, members | {"manifest.json": json.dumps(manifest).encode()})


def assert_equal_or_knowledge_error(path, knowledge):
    try:
        loaded, message = load_knowledge(path), ""
    except KnowledgeError as error:
        loaded, message = None, str(error)
    assert loaded == knowledge or path.name in message


# Round trip


def test_what_is_saved_loads_equal(tiny_knowledge, knowledge_file):
    """A knowledge base that went through a file is equal, with a str path as well."""
    assert load_knowledge(knowledge_file) == tiny_knowledge
    assert load_knowledge(str(knowledge_file)) == tiny_knowledge


@pytest.mark.parametrize(
    "part",
    [
        lambda knowledge: knowledge.without("storm"),
        lambda knowledge: knowledge.without(knowledge.tasks.index),
        lambda knowledge: knowledge.select_learners("random_forest"),
        lambda knowledge: knowledge.with_configurations([]),
    ],
    ids=["fewer_tasks", "no_tasks", "one_learner", "no_configurations"],
)
def test_parts_load_equal(tiny_knowledge, tmp_path, part):
    """Parts of a knowledge base, empty ones too, go through a file unchanged."""
    saved = part(tiny_knowledge)
    saved.save(tmp_path / "part.zip")
    assert load_knowledge(tmp_path / "part.zip") == saved


def test_awkward_values_load_equal(tiny_knowledge, tmp_path):
    """Unicode, None, lists and extreme numbers go through a file unchanged."""
    names = ["Ärzte/2", "a b", "日本", "-"]
    folds = {"accuracy": tiny_knowledge.fold_scores("accuracy") * 1e-30}
    meta_features = tiny_knowledge.meta_features.set_axis(names, axis="index")
    awkward = KnowledgeBase(
        tasks=tiny_knowledge.tasks.set_axis(names, axis="index").assign(
            openml_did=[61, None, 187, 31], share=[0.1, 1 / 3, 1e-300, 0.0]
        ),
        meta_features=meta_features * 1e300,
        configurations=[
            Configuration("some.package:Läufer", {"sizes": [i, None], "on": True})
            for i in range(3)
        ],
        fold_scores=folds,
        fit_seconds=tiny_knowledge.fit_seconds,
        predict_seconds=tiny_knowledge.predict_seconds,
        provenance={"note": "größer", "nested": {"list": [1, 2.5, None, False]}},
    )
    awkward.save(tmp_path / "awkward.zip")
    assert load_knowledge(tmp_path / "awkward.zip") == awkward


def test_equal_knowledge_makes_equal_files(tiny_knowledge, tmp_path):
    """Saving twice, or saving what was loaded, gives the same bytes."""
    tiny_knowledge.save(tmp_path / "first.zip")
    tiny_knowledge.save(str(tmp_path / "second.zip"))
    load_knowledge(tmp_path / "first.zip").save(tmp_path / "third.zip")
    first = (tmp_path / "first.zip").read_bytes()
    assert (tmp_path / "second.zip").read_bytes() == first
    assert (tmp_path / "third.zip").read_bytes() == first


def test_saving_replaces_an_older_file(tiny_knowledge, knowledge_file):
    """A file that is there holds the new knowledge afterwards, and is alone."""
    smaller = tiny_knowledge.without("storm")
    smaller.save(knowledge_file)
    assert load_knowledge(knowledge_file) == smaller
    assert os.listdir(knowledge_file.parent) == ["knowledge.zip"]


# Versions


def test_file_of_version_1_is_read():
    """The values of a file of format version 1 are what they were when written."""
    knowledge = load_knowledge(KNOWLEDGE_V1)
    assert knowledge.tasks.index.tolist() == ["iris", "iris_two", "wine"]
    assert knowledge.tasks.to_dict("list") == {
        "family": ["iris", "iris", "wine"],
        "domain": ["botany", "botany", ""],
        "n_rows": [150, 100, 178],
        "n_features": [4, 4, 13],
        "n_classes": [3, 2, 3],
        "source": ["UCI", None, "UCI"],
    }
    assert knowledge.meta_features.to_dict("list") == {
        "nr_inst": [150.0, 100.0, 178.0],
        "class_ent": [1.585, 1.0, 1.567],
    }
    assert knowledge.configuration_values == (
        Configuration("gaussian_nb", {"var_smoothing": 1e-09}),
        Configuration("mlp", {"hidden_layer_sizes": [64, 64], "alpha": 0.5}),
    )
    assert knowledge.metrics == ["accuracy", "neg_log_loss"]
    accuracy = [
        [[0.875, 0.625], [0.5, 0.75]],
        [[0.875, np.nan], [0.25, np.nan]],
        [[0.5, 1.0], [0.75, np.nan]],
    ]
    np.testing.assert_array_equal(knowledge.fold_scores("accuracy"), accuracy)
    np.testing.assert_array_equal(
        knowledge.fold_scores("neg_log_loss"), np.subtract(accuracy, 1)
    )
    assert knowledge.fit_seconds.to_numpy().tolist()[0] == [0.25, 1.5]
    np.testing.assert_array_equal(knowledge.fit_seconds.loc["wine"], [0.25, np.nan])
    np.testing.assert_array_equal(knowledge.predict_seconds.loc["iris"], [0.125, 0.75])
    assert knowledge.failures.to_dict("list") == {
        "task": ["wine"],
        "configuration": [knowledge.configurations.index[1]],
        "error": ["Stopped after 60 s."],
    }
    assert knowledge.provenance == {
        "protocol": {"n_folds": 2},
        "versions": {"scikit-learn": "1.6"},
    }


def test_file_of_version_2_is_read():
    """That of version 1, merged with one of two tables, of which one is in both."""
    knowledge = load_knowledge(KNOWLEDGE_V2)
    assert load_knowledge(KNOWLEDGE_V1) in knowledge.parts
    assert knowledge.tasks.index.tolist() == ["iris", "iris_two", "wine", "heart"]
    assert knowledge.configurations["learner"].tolist() == ["gaussian_nb", "mlp", "svc"]
    nan = np.nan
    expected = [
        [0.75, 0.625, nan],
        [0.875, 0.25, nan],
        [0.625, nan, 0.75],
        [0.5, nan, 0.75],
    ]
    np.testing.assert_array_equal(knowledge.scores("accuracy"), expected)
    assert knowledge.scores("neg_log_loss").notna().sum(axis=None) == 5
    assert knowledge.fit_seconds.loc["wine"].tolist()[0] == 0.5
    assert knowledge.failures["error"].tolist() == ["Stopped after 60 s.", "no memory"]
    assert len(knowledge.provenance["parts"]) == 2


def test_newer_version(knowledge_file):
    """A file of a later version names both versions and says to upgrade."""
    change_manifest(knowledge_file, version=3)
    message = r"knowledge\.zip has format version 3, .* up to 2\. Upgrade skmeta"
    with pytest.raises(KnowledgeError, match=message):
        load_knowledge(knowledge_file)


# Damage


def test_flipped_bits(tiny_knowledge, knowledge_file):
    """With a bit flipped anywhere it is an error or, where it says nothing, equal."""
    content = knowledge_file.read_bytes()
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        knowledge_file.write_bytes(damaged)
        assert_equal_or_knowledge_error(knowledge_file, tiny_knowledge)


def test_overwritten_stretches(tiny_knowledge, knowledge_file):
    """With a stretch of zeros anywhere it is an error or equal."""
    content = knowledge_file.read_bytes()
    for start in range(0, len(content), 16):
        damaged = bytearray(content)
        damaged[start : start + 64] = bytes(len(damaged[start : start + 64]))
        knowledge_file.write_bytes(damaged)
        assert_equal_or_knowledge_error(knowledge_file, tiny_knowledge)


def test_truncated(knowledge_file):
    """Cut short at any length it is an error with the file's name."""
    content = knowledge_file.read_bytes()
    for length in [*range(30), *range(30, len(content), 37), len(content) - 1]:
        knowledge_file.write_bytes(content[:length])
        with pytest.raises(KnowledgeError, match=r"knowledge\.zip"):
            load_knowledge(knowledge_file)


def test_checksum(knowledge_file):
    """A member that is not what the manifest says is named."""
    members = read_members(knowledge_file)
    members["tasks.json"] = members["tasks.json"].replace(b"storm", b"storn")
    write_members(knowledge_file, members)
    message = r"knowledge\.zip is damaged: the checksum of tasks\.json does not match"
    with pytest.raises(KnowledgeError, match=message):
        load_knowledge(knowledge_file)


def test_missing_member(knowledge_file):
    """A member that the manifest lists and the file lacks is an error."""
    members = read_members(knowledge_file)
    del members["fit_seconds.npy"]
    write_members(knowledge_file, members)
    with pytest.raises(KnowledgeError, match=r"knowledge\.zip.*fit_seconds"):
        load_knowledge(knowledge_file)


def test_parts_that_do_not_fit(knowledge_file):
    """Members that are whole but do not fit together are an error that says why."""
    array = io.BytesIO()
    np.save(array, np.zeros((2, 2)))
    replace_member(knowledge_file, "fit_seconds.npy", array.getvalue())
    message = r"knowledge\.zip is damaged: fit_seconds must have the shape"
    with pytest.raises(KnowledgeError, match=message):
        load_knowledge(knowledge_file)


# Other things than knowledge files


def make_foreign_zip(path):
    write_members(path, {"readme.txt": "hello"})


def make_zip_with_foreign_manifest(path):
    write_members(path, {"manifest.json": '{"format": "another", "version": 1}'})


def make_zip_with_manifest_of_another_kind(path):
    write_members(path, {"manifest.json": "[1, 2]"})


def make_text(path):
    path.write_text("family,domain\niris,botany\n")


def make_pickle(path):
    path.write_bytes(pickle.dumps({"tasks": [1, 2, 3]}))


def make_empty(path):
    path.touch()


@pytest.mark.parametrize(
    "make",
    [
        make_foreign_zip,
        make_zip_with_foreign_manifest,
        make_zip_with_manifest_of_another_kind,
        make_text,
        make_pickle,
        make_empty,
    ],
)
def test_foreign_file(tmp_path, make):
    """A file of another kind is an error that names it and says what to pass."""
    make(tmp_path / "other.zip")
    message = r"other\.zip is not a knowledge file of skmeta\. Pass a file written by"
    with pytest.raises(KnowledgeError, match=message):
        load_knowledge(tmp_path / "other.zip")


def test_missing_file(tmp_path):
    """A path where nothing is, or a directory, is an error that shows it."""
    (tmp_path / "directory.zip").mkdir()
    for name in ("missing.zip", "directory.zip"):
        path = tmp_path / name
        with pytest.raises(KnowledgeError, match=re.escape(str(path))):
            load_knowledge(path)


class SetsAFlagWhenUnpickled:
    """An object whose unpickling runs code, as in an attack."""

    unpickled = False

    @classmethod
    def set_flag(cls):
        cls.unpickled = True

    def __reduce__(self):
        return SetsAFlagWhenUnpickled.set_flag, ()


def test_nothing_is_unpickled(knowledge_file):
    """An array of objects is refused before any of its code runs."""
    array = io.BytesIO()
    np.save(array, np.array([[SetsAFlagWhenUnpickled()]]), allow_pickle=True)
    replace_member(knowledge_file, "fit_seconds.npy", array.getvalue())
    with pytest.raises(KnowledgeError, match=r"knowledge\.zip is damaged: Object arr"):
        load_knowledge(knowledge_file)
    assert not SetsAFlagWhenUnpickled.unpickled


# Saving


@pytest.mark.parametrize("name", ["knowledge.npz", "knowledge", "knowledge.zip.bak"])
def test_path_must_end_in_zip(tiny_knowledge, tmp_path, name):
    """A file of another ending is refused, and none is written."""
    with pytest.raises(ValueError, match=rf"path must end in '\.zip', got: '{name}'"):
        tiny_knowledge.save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_interrupted_save_leaves_the_old_file(
    tiny_knowledge, knowledge_file, monkeypatch
):
    """Ctrl-C on the way leaves the file that was there, and nothing beside it."""

    def interrupt_after_the_first_bytes(archive, name, *args, **kwargs):
        archive.fp.write(b"half of it")
        raise KeyboardInterrupt

    content = knowledge_file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", interrupt_after_the_first_bytes)
        with pytest.raises(KeyboardInterrupt):
            tiny_knowledge.without("storm").save(knowledge_file)
    assert knowledge_file.read_bytes() == content
    assert os.listdir(knowledge_file.parent) == ["knowledge.zip"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_saved_file_has_the_usual_mode(knowledge_file):
    """Others may read the file as they may any other that is written here."""
    other = knowledge_file.with_name("other.txt")
    other.touch()
    assert knowledge_file.stat().st_mode == other.stat().st_mode


# The knowledge that ships


def test_shipped_knowledge_is_broad():
    """It holds two hundred tasks or more by every metric, all of it usable."""
    knowledge = load_knowledge()
    assert knowledge.metrics == sorted(METRICS)
    assert len(knowledge.tasks) >= 200
    for metric in knowledge.metrics:
        assert knowledge.scores(metric).notna().any(axis=1).all()


def test_shipped_file_holds_no_rows_of_tables():
    """It is small, and every member is of a kind that has no room for rows."""
    shipped = resources.files("skmeta.knowledge") / "data" / "default.zip"
    with resources.as_file(shipped) as path:
        assert path.stat().st_size <= 6 * 2**20
        members = read_members(path)
    knowledge = load_knowledge()
    documents = {
        "manifest",
        "tasks",
        "meta_features",
        "configurations",
        "failures",
        "provenance",
    }
    arrays = {"meta_features", "fit_seconds", "predict_seconds"}
    arrays |= {f"fold_scores.{metric}" for metric in knowledge.metrics}
    assert set(members) == {f"{d}.json" for d in documents} | {
        f"{a}.npy" for a in arrays
    }
    for values in knowledge.tasks.to_numpy().ravel():
        assert isinstance(values, (str, int, float, type(None)))
