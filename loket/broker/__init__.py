"""Kafka through kafka-python, which nothing else imports: topics, a producer that loses nothing silently, a reader."""

from loket.broker.connection import BrokerAway, BrokerError, BrokerRefused, client_options
from loket.broker.consumer import EventConsumer, KafkaEventConsumer
from loket.broker.producer import Codec, DeliveryFailed, EventProducer
from loket.broker.topics import (
    Applied,
    Difference,
    TopicMissing,
    TopicSpec,
    answers,
    apply_topics,
    changelog_topic,
    check_topics,
    events_topic,
    partition_count,
    topics_of,
)

__all__ = [
    "Applied",
    "BrokerAway",
    "BrokerError",
    "BrokerRefused",
    "Codec",
    "DeliveryFailed",
    "Difference",
    "EventConsumer",
    "EventProducer",
    "KafkaEventConsumer",
    "TopicMissing",
    "TopicSpec",
    "answers",
    "apply_topics",
    "changelog_topic",
    "check_topics",
    "client_options",
    "events_topic",
    "partition_count",
    "topics_of",
]
