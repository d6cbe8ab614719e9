"""Versions of the policy: drafted, published, kept."""
