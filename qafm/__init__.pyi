from qafm.errors import InputError as InputError
from qafm.inference.model import load as load

__version__: str
