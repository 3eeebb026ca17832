"""What every page of the product shares: templates, language, security headers, errors in words."""
