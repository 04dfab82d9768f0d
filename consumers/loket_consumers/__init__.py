"""The record: kafka-python consumers write every event and what it means to SQL, exactly once."""
