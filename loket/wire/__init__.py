"""What is on the wire: CloudEvents in Kafka records, the closed list of reasons, partitions and JSON Schemas."""
