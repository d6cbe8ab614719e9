"""Take orders in, from files, from pushes and from the OMS."""
