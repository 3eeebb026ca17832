"""The service desk itself. It imports none of the other packages."""
