"""Aftercart: order self-service that never loses a cancellation."""
