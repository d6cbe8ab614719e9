"""Withdraw from a contract, with and without a log-in."""
