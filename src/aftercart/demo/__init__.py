"""A shop's worth of made-up orders and people, for demonstrations and for trying things out."""
