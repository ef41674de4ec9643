"""Asking targets everything a plan holds, durably, within limits, and without asking twice."""

from audit.collection.progress import Progress
from audit.collection.retry import RetryPolicy
from audit.collection.runner import CollectionPlan, CollectionResult, collect

__all__ = ["CollectionPlan", "CollectionResult", "Progress", "RetryPolicy", "collect"]
