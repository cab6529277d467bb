"""Where a rebuild writes rows."""
