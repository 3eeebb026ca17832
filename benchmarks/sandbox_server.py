"""The Telegram sandbox as a process of its own: `python -m benchmarks.sandbox_server PORT`. Takes any well-formed token as a bot."""

import sys

import uvicorn

from channels.telegram.sandbox import Sandbox

if __name__ == "__main__":
    uvicorn.run(Sandbox(open_to_all=True).app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", ws="none")
