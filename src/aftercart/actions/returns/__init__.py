"""What belongs to a return on its way back: photos, pickup, return code."""
