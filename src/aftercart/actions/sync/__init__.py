"""Follow what the OMS says: orders, refunds, reasons, differences."""
