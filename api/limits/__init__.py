"""What one request and one token may ask for, decided before anything is run."""
