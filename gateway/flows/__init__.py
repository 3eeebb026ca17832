"""What happens: intake, converse, deliver, clocks; one file per kind of work (DESIGN.md section 3)."""
