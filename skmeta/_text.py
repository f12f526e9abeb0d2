"""What becomes of free text, and what is remembered of it in a search."""

import hashlib
import time
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline

_MAX_NGRAMS = 20_000  # of words, and as many of characters
# Beyond that many, n-grams of characters take seconds and gain little.
_MAX_CHARACTERS = 1_000_000
# With it a linear model's default penalty suits n-grams as it suits numbers.
_NGRAM_WEIGHT = 3.0

# Of what is remembered in a process.
_MOST_BYTES = 300 * 2**20
_BYTES_OF_NGRAM = 150  # in a vocabulary


def learn_texts(texts, n_components=None):
    """Learn what becomes of texts.

    Parameters
    ----------
    texts : ndarray of str of shape (n_rows,)
    n_components : int, default=None
        Most principal components of the n-grams [1]_; None keeps the n-grams.

    Returns
    -------
    steps : Pipeline
        Fitted; for `transform_texts`.
    encoded : ndarray or sparse array of shape (n_rows, n_encoded)

    References
    ----------
    .. [1] S. Deerwester et al., "Indexing by Latent Semantic Analysis", 1990.
    """
    with _timed():
        digest = _digest(texts)
        union, ngrams = _recall(("ngrams", digest), _count_ngrams, texts)
        if n_components is None:
            return make_pipeline(union), ngrams
        n_components = min(n_components, len(texts) - 1, ngrams.shape[1])
        svd, components = _recall(
            ("components", digest, n_components), _reduce, ngrams, n_components
        )
        return make_pipeline(union, svd), components


def transform_texts(steps, texts):
    """Return what becomes of other texts.

    Parameters
    ----------
    steps : Pipeline
        From `learn_texts`; there may be more at its end.
    texts : list of str of shape (n_rows,)

    Returns
    -------
    encoded : ndarray or sparse array of shape (n_rows, n_encoded)
    """
    with _timed():
        (_, union), *rest = steps.steps
        # The union stays with what is remembered, so that no other has its id.
        _, encoded = _recall((id(union), _digest(texts)), _transform, union, texts)
        for _, step in rest:
            encoded = step.transform(encoded)
        return encoded


def _count_ngrams(texts):
    # Words of one letter count, which scikit-learn leaves out by default.
    words = _vectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")
    vectorizers = [("words", words)]
    if sum(map(len, texts)) <= _MAX_CHARACTERS:
        characters = _vectorizer(analyzer="char_wb", ngram_range=(3, 5))
        vectorizers.append(("characters", characters))
    weights = {name: _NGRAM_WEIGHT for name, _ in vectorizers}
    union = FeatureUnion(vectorizers, transformer_weights=weights)
    return union, union.fit_transform(texts)


def _vectorizer(**params):
    return TfidfVectorizer(sublinear_tf=True, max_features=_MAX_NGRAMS, **params)


def _reduce(ngrams, n_components):
    svd = TruncatedSVD(n_components, random_state=0)
    return svd, svd.fit_transform(ngrams)


def _transform(union, texts):
    return union, union.transform(texts)


class TextMemo:
    """What texts became in the fits of one search, of the same splits all of them.

    Counting n-grams takes longer than most learners. What is remembered stays in the
    process where it was found; another one that this object is sent to has its own.
    """

    def __init__(self, token=None):
        self._token = token or uuid4().hex
        self._kept = {}  # what was used last at the end
        self._n_bytes = 0
        self.seconds = 0.0  # that texts have taken so far, in this process

    def __reduce__(self):
        return _memo_of, (self._token,)

    @contextmanager
    def in_use(self):
        """Remember what becomes of texts within."""
        before = _in_use.set(self)
        try:
            yield
        finally:
            _in_use.reset(before)

    def recall(self, key, function, arguments):
        """Return what a function gave or gives."""
        if key not in self._kept:
            value = function(*arguments)
            self._n_bytes += _size(*value)
        else:
            value = self._kept.pop(key)
        self._kept[key] = value
        while self._n_bytes > _MOST_BYTES:
            self._n_bytes -= _size(*self._kept.pop(next(iter(self._kept))))
        return value


_in_use = ContextVar("memo", default=None)
_received = {}  # the memo of the last search that has sent one to this process


def _memo_of(token):
    if token not in _received:
        _received.clear()
        _received[token] = TextMemo(token)
    return _received[token]


def _recall(key, function, *arguments):
    memo = _in_use.get()
    if memo is None:
        return function(*arguments)
    return memo.recall(key, function, arguments)


@contextmanager
def _timed():
    memo, start = _in_use.get(), time.perf_counter()
    try:
        yield
    finally:
        if memo is not None:
            memo.seconds += time.perf_counter() - start


def _digest(texts):
    """Return what tells these texts from others; 2 ms for a million characters."""
    digest = hashlib.sha256(repr([*map(len, texts)]).encode())
    digest.update("".join(texts).encode("utf-8", "surrogatepass"))
    return digest.digest()


def _size(step, encoded):
    """Estimate the bytes of a step and what it made."""
    n_bytes = getattr(encoded, "data", encoded).nbytes
    if hasattr(encoded, "indices"):
        n_bytes += encoded.indices.nbytes + encoded.indptr.nbytes
    vectorizers = getattr(step, "transformer_list", [])
    n_ngrams = sum(len(vectorizer.vocabulary_) for _, vectorizer in vectorizers)
    return n_bytes + n_ngrams * _BYTES_OF_NGRAM
