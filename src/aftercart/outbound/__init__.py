"""Calls to other systems: each under one deadline, sent once, with a breaker and a bulkhead for each system."""
