"""Speed and memory, each figure beside a baseline measured in the same run: `make bench`, or `python -m benchmarks accept turn --quick`."""
