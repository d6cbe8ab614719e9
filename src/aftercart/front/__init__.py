"""The HTTP front: reads each request whole, within limits, before it costs one of Django's threads."""
