"""Real approvals, taken from an event log and played again as cases of a framework that models them."""
