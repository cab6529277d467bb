"""What `crm doctor` looks at, by subject."""
