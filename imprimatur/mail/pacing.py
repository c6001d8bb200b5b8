"""How many mails a relay is given: a token bucket."""

import datetime as dt

MINUTE_SECONDS = 60


class Bucket:
    """Never more than ``per_minute`` in any minute.

    A tenth of them may go at once, and the rest trickles in: what is held at a minute's beginning and what comes until
    its end are together less than one more.
    """

    def __init__(self, per_minute: int) -> None:
        self._size = max(1, per_minute // 10)
        self._per_second = (per_minute + 1 - self._size) / MINUTE_SECONDS
        self._held = float(self._size)
        self._filled_at: dt.datetime | None = None

    def holds(self, now: dt.datetime) -> int:
        """How many may go now."""
        # A clock that was set back fills nothing, and empties nothing.
        passed = max(0.0, (now - (self._filled_at or now)).total_seconds())
        self._held = min(float(self._size), self._held + passed * self._per_second)
        self._filled_at = now
        # Sums of fractions miss a whole by a hair.
        return int(self._held + 1e-9)

    def take(self, number: int) -> None:
        self._held -= number
