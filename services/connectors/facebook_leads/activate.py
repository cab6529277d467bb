"""Lead ads: the app's webhook for pages, and the page that installs the app."""

from services.connectors.meta_activation import meta_activation

ACTIVATION = meta_activation("page", "leadgen")
