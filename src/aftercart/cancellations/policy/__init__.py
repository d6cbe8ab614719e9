"""The policy as it stands in the database: read, and explained for an order."""
