"""The checks of `crm doctor`, by subject."""
