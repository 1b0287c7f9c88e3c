"""Quality-aware fusion for person re-identification. `qafm.load` gives a trained model; torch is imported once it is asked for."""


def __getattr__(name: str) -> object:
    """`qafm.load`, imported on demand. By its name as text: an import statement here would count as code of every stage."""
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module("qafm.inference.model").load
