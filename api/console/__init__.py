"""The console: what a sales team works in. Pages of HTML, each from one GraphQL document and one template.

A screen is found by its path: /console/deals/ID is screens/deal.py with documents/deal.graphql and templates/deal.html.
"""
