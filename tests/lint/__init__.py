"""House rules as code: what a review would say twice is said here once (`python -m tests.lint [PATHS]`).

A line may be excused where the rule is wrong about it: `# lint-skip: code - reason` on the line or the one above. The reason is
required, and an excuse that is not needed is itself a finding.
"""

from tests.lint.findings import Finding
from tests.lint.run import RULES, check_file, check_paths

__all__ = ["RULES", "Finding", "check_file", "check_paths"]
