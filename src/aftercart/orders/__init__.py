"""Orders, items, statuses, rules, timeline."""
