"""The specifications under docs/spec, checked, and compared with the code."""
