"""AutoML for scikit-learn that has seen other tables."""

from skmeta._configuration import Configuration

__all__ = ["Configuration"]
