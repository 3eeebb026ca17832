"""Mail programs that people use against a real desk: `make mail-clients`."""
