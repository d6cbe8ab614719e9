"""Users, sessions, the address book, places."""
