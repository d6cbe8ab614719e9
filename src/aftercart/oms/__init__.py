"""The port to an order-management system: what actions ask of it and get from it, in terms of the trade.

`omnitron/` is its one adapter. Another one is a package that makes an `OmsClient`, named by the setting `OMS_ADAPTER`.
"""
