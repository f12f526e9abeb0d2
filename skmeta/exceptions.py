"""The errors and warnings that a user of skmeta may want to catch.

::

    SkmetaError
    ├── KnowledgeError (also a ValueError)   a knowledge file cannot be used
    └── NoCandidateError (also a ValueError) nothing could be fitted
    SkmetaWarning (a UserWarning)            said once, the fit goes on
"""


class SkmetaError(Exception):
    """Base class of all errors of skmeta's own."""


class KnowledgeError(SkmetaError, ValueError):
    """A knowledge file is damaged, foreign or newer than this skmeta."""


class NoCandidateError(SkmetaError, ValueError):
    """No candidate could be fitted, or none can be recommended."""


class SkmetaWarning(UserWarning):
    """Something a user may want to know, after which the work goes on."""
