"""The policy, pure: its topics, its clauses, and why it says what it says."""
