"""Customers and guests: log in, prove an address, be forgotten."""
