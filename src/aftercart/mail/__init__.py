"""The outbox: e-mails to customers, written with the event that they tell of, sent by the worker afterwards."""
