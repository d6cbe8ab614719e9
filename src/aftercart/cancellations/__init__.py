"""Reasons, policies, submissions, requests."""
