"""Read an order document, contract section 6, into rows of our tables: pure."""
