"""Describing a task by numbers that do not depend on how it is written down."""

from skmeta.metafeatures._extractor import ExtractionReport, MetaFeatureExtractor

__all__ = ["ExtractionReport", "MetaFeatureExtractor"]
