from qafm.inference.model import load as load
from qafm.runtime.errors import InputError as InputError

__version__: str
