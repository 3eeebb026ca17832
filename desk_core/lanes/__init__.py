"""Work: one queue for inbound messages, deliveries and timers (DESIGN.md section 4)."""
