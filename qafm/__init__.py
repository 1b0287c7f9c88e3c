"""Quality-aware fusion for person re-identification. `qafm.load` gives a trained model; torch is imported once it is asked for."""


def __getattr__(name: str) -> object:
    """What the package offers, imported on demand. By its name as text: an import statement here would count as code of every stage."""
    from importlib import import_module

    if name == "__version__":
        return import_module("importlib.metadata").version("qafm-reid")
    homes = {"load": "qafm.inference.model", "InputError": "qafm.errors"}
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(homes[name]), name)


def __dir__() -> list[str]:
    """What there is already, and what `__getattr__` finds."""
    return sorted({*globals(), "InputError", "__version__", "load"})
