"""The one exception of bad input."""


class InputError(ValueError):
    """Bad input or configuration, told in one line that names the file (and row) and the reason."""
