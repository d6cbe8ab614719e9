"""Loyalty points: a ledger that is only ever added to."""
