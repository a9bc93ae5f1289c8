"""What runs on devices: sent there, never imported here."""
