"""Tools that know nothing of orders: money, signed links, configuration, secrets, the embedded PostgreSQL."""
