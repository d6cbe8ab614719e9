"""Cancellation requests: delivered into the OMS's queue, decided by staff."""
