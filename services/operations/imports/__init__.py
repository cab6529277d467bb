"""Imports a file by the API: `crm import`."""
