"""`python -m benchmarks.chaos`: kill a desk's processes at random under load, and count whether it kept its promises."""
