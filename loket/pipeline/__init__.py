"""The whole way of the data as processes of one command: topics, `loket worker`, `loket sink`, and what both say."""

from loket.pipeline.errors import Unfinished
from loket.pipeline.pipeline import Answers, Pipeline
from loket.pipeline.places import Places

__all__ = ["Answers", "Pipeline", "Places", "Unfinished"]
