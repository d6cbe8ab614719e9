"""The customer's HTML."""
