"""`loket report`: a unit and a period in tables, files, and one page for the head of the office."""
