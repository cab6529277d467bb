"""The demo stories: deliveries sent to a running stack the way the vendors send them."""
