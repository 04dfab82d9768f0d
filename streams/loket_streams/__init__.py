"""The stream: Faust aggregates the events of each unit and employee and exports live figures to Prometheus."""
