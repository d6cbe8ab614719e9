"""The delivery address of an order, and the customer's address book."""
