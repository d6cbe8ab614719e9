"""The outbox: letters to customers, written with the event that they tell of, sent by the worker afterwards."""
