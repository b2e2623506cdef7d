"""`python -m cloverleaf` is the `cloverleaf` command."""

from cloverleaf.cli.main import main

main()
