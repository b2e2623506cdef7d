"""Rules, suites, evaluation levels, statistics, verdicts."""
