"""What the templates can do to a value."""
