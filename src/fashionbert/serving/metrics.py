"""Figures for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from fashionbert.search import Answer

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """All figures of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "fashionbert_requests", "Answers by route and status.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "fashionbert_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.stages = Histogram(
            "fashionbert_stage_seconds",
            "Time of a stage for a batch.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batches = Histogram(
            "fashionbert_batch_searches",
            "Searches computed together.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self.registry,
        )
        self.waiting = Gauge("fashionbert_waiting_requests", "Requests in the queue.", registry=self.registry)
        self.version = Gauge(
            "fashionbert_index_version", "Version of the index that is searched.", registry=self.registry
        )
        self.pictures = Gauge("fashionbert_index_pictures", "Pictures in it.", registry=self.registry)

    def searched(self, answers: Sequence[Answer], waits: Sequence[float]) -> None:
        """Count a batch of searches."""
        self.batches.observe(len(answers))
        for wait in waits:
            self.stages.labels("queue").observe(wait)
        for stage, milliseconds in answers[0].milliseconds.items():
            self.stages.labels(stage).observe(milliseconds / 1000)
