"""`python -m qafm`: the command line without an installed `qafm`."""

from qafm.cli.main import app

if __name__ == "__main__":
    app(prog_name="qafm")
