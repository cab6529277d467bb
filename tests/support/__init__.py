"""What tests share, by noun."""
