"""Tells by how many days the product's clock and its records are off; a process of its own, for test_skewed.py."""

import time

from aiokafka.producer.message_accumulator import BatchBuilder

from crm.envelope import now

DAY = 86_400


def days(seconds: float) -> int:
    """Against the machine's clock, which nobody shifts."""
    return round((seconds - time.clock_gettime(time.CLOCK_REALTIME)) / DAY)


def stamped() -> float:
    batch = BatchBuilder(1_000, 0)
    return float(batch.append(timestamp=None, key=b"", value=b"").timestamp / 1000)


if __name__ == "__main__":
    print(days(now() / 1_000_000), days(time.time()), days(stamped()))
