"""E-mails: what is said, and how it leaves."""
