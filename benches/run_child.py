"""Runs a command and prints what it cost as one line of JSON: exit status, seconds, CPU seconds, peak memory.

A process of its own and a small one, because Linux counts the memory of whoever starts a command as part of that command's peak.
"""

import json
import os
import sys
import time


def main(argv: list[str]) -> None:
    started = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
    _, status, usage = os.wait4(pid, 0)
    print(
        json.dumps(
            {
                "status": os.waitstatus_to_exitcode(status),
                "seconds": time.perf_counter() - started,
                "cpu": usage.ru_utime + usage.ru_stime,
                "peak_kib": usage.ru_maxrss,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
