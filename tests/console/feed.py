"""A platform of straw for browser tests: `python tests/console/feed.py PORT OBJECTS [FOLDER ISSUER]`.

The real API over the bench's parade; with a folder and an issuer, for the user "vera" and whoever comes from that provider.
"""

import sys
from pathlib import Path

from cloverleaf.cli.bench_console import serve
from cloverleaf.cloud.security.oidc import Provider
from cloverleaf.cloud.security.users import Users

if __name__ == "__main__":
    users = None
    if len(sys.argv) > 3:
        provider = Provider(sys.argv[4], "cloverleaf-api", client="console")
        users = Users(Path(sys.argv[3]) / "users.json", "ab" * 32, provider)
        users.add("vera", "vera-password", "operator")
    serve(int(sys.argv[1]), int(sys.argv[2]), users)
