"""`python -m aftercart`: the command line."""

from aftercart.cli import main

main()
