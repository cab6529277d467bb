"""`crm bench open-api`: streaming in, upserts, pages and totals of deals, each next to its goal."""
