from qafm.inference.model import load as load
