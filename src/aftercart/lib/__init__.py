"""Tools below every model: money, signed links, configuration, secrets, the embedded PostgreSQL."""
