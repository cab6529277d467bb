"""Who plans deliveries and makes them. A new follower is added here."""

from collections.abc import Callable, Sequence

from services.outbound.delivery import Follower
from services.outbound.replies.follower import Replies
from services.outbound.role import Outbound
from services.outbound.webhooks.follower import Webhooks

FOLLOWERS: Sequence[Callable[[Outbound], Follower]] = (Webhooks, Replies)
