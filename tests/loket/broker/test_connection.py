"""Settings reach the clients, and what Kafka answers reaches a person."""

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, errors

from loket.broker import BrokerAway, BrokerError, BrokerRefused, client_options
from loket.broker.connection import kafka_errors
from loket.settings import Connection

SECURE = Connection(
    bootstrap="a:1,b:2",
    security_protocol="SASL_SSL",
    sasl_mechanism="PLAIN",
    sasl_username="u",
    sasl_password="p",
    ssl_cafile="c",
    ssl_certfile="d",
    ssl_keyfile="k",
    ssl_password="q",
)


def test_every_option_is_known_to_every_client() -> None:
    options = client_options(SECURE)
    assert options["bootstrap_servers"] == ["a:1", "b:2"]
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    for client in (KafkaAdminClient, KafkaConsumer, KafkaProducer):
        assert set(options) <= set(client.DEFAULT_CONFIG)


def test_what_is_not_set_is_left_to_the_client() -> None:
    assert "sasl_mechanism" not in client_options(Connection(bootstrap="a:1"))


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (errors.KafkaTimeoutError("x"), BrokerAway, "a:1"),
        (errors.KafkaConnectionError("x"), BrokerAway, "start it"),
        (errors.SaslAuthenticationFailedError("x"), BrokerRefused, "LOKET_SASL_"),
        (errors.TopicAuthorizationFailedError("x"), BrokerRefused, "rights"),
        (errors.UnknownError("x"), BrokerError, "looking: Kafka at a:1 answers"),
        (FileNotFoundError("ca.pem"), BrokerError, "ca.pem"),
    ],
)
def test_an_error_of_kafka_is_told_as_ours(raised: Exception, expected: type[BrokerError], says: str) -> None:
    with pytest.raises(BrokerError, match=says) as caught, kafka_errors(Connection(bootstrap="a:1"), "looking"):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.bootstrap == "a:1"


def test_a_fault_of_ours_stays_one() -> None:
    with pytest.raises(ZeroDivisionError), kafka_errors(Connection(bootstrap="a:1"), "looking"):
        raise ZeroDivisionError
