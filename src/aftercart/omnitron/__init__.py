"""Omnitron as the order-management system (contract section 8): the one adapter of the port `aftercart.oms`.

It knows nothing of orders, and reads Django's settings in `connect` alone.
"""
