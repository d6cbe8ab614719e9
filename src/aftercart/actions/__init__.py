"""What a customer, a member of staff or the worker can do: the only code that writes across rows.

Each action is one durable transaction, or several with a remote call between them; none has a remote call
inside a transaction (docs/decisions/0002).
"""
