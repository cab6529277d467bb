"""What an operator does, without a terminal."""
