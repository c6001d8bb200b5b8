"""What the figures are called, in the order in which they are offered."""

TITLES = {
    "on-time": "On time, by stage",
    "frameworks": "On time, by framework",
    "units": "On time, by unit",
    "times": "How long it takes",
    "holders": "Who held the cases",
    "ageing": "How old open cases are",
    "funnel": "How far cases come",
    "rework": "Rounds and rework",
    "changes": "Where changes are asked for",
    "workload": "Whose desk it is on",
    "trend": "Month by month",
}
