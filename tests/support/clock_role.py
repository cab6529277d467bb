"""Prints by how many days clock and record timestamps are off; a process for test_skewed_clock.py."""

import time

from aiokafka.producer.message_accumulator import BatchBuilder

from crm.envelope import now

DAY = 86_400


def days(seconds: float) -> int:
    """Returns the difference to the machine's real clock in days."""
    return round((seconds - time.clock_gettime(time.CLOCK_REALTIME)) / DAY)


def stamped() -> float:
    batch = BatchBuilder(1_000, 0)
    return float(batch.append(timestamp=None, key=b"", value=b"").timestamp / 1000)


if __name__ == "__main__":
    print(days(now() / 1_000_000), days(time.time()), days(stamped()))
