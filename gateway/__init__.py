"""Everything that joins the parts: settings, flows, web, command line."""
