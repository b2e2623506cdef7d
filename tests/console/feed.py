"""A platform of straw for browser tests: `python tests/console/feed.py PORT OBJECTS`; the real API over the bench's parade."""

import sys

from cloverleaf.cli.bench_console import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
