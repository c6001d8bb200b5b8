"""Speed, as ratios within one run: `make bench`. No figure here is asserted; docs/benchmarks.md says what they were."""
