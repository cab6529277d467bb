"""Past deliveries read again: by a mended connector, or for a field that was defined after they came."""
