"""The command `qafm`: what was trained, put to use. Nothing heavy is imported before a command needs it."""

import importlib.metadata
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from qafm.cli.attributes import attributes
from qafm.cli.doctor import doctor
from qafm.cli.embed import embed
from qafm.cli.evaluate import evaluate
from qafm.cli.export import export
from qafm.cli.index import index
from qafm.cli.match import match
from qafm.cli.output import never_fail_to_encode
from qafm.cli.remove import remove
from qafm.cli.score import score
from qafm.cli.search import search
from qafm.errors import InputError, one_line, printable

BAD_INPUT, INTERRUPTED = 1, 130


class Commands(TyperGroup):
    """All commands; what they raise becomes one line on stderr and an exit code that means something."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line, its help included."""
        never_fail_to_encode()
        return super().main(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _told(str(error), BAD_INPUT) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever reads has seen enough
            raise typer.Exit(0) from None
        except OSError as error:
            raise _told(f"{error.filename}: {error.strerror}" if error.filename else str(error), BAD_INPUT) from None
        except RuntimeError as error:
            if type(error).__name__ != "OutOfMemoryError":  # torch's, which is not imported for this
                raise
            raise _told(
                f"the GPU has too little free memory; --device cpu goes without it ({one_line('. '.join(str(error).split('. ')[:2]))})", BAD_INPUT
            ) from None
        except KeyboardInterrupt as error:
            raise _told(" ".join(["interrupted", *map(str, error.args)]), INTERRUPTED) from None


def _told(reason: str, code: int) -> typer.Exit:
    typer.echo(f"qafm: {printable(reason)}", err=True)
    return typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 bad input (one line on stderr says which file and why), 2 wrong usage, 130 interrupted.\n\n"
    "Where to start: `qafm doctor`, then `qafm score` with any picture of a person. docs/command-line.md shows each command at work.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qafm {importlib.metadata.version('qafm-reid')}")
        raise typer.Exit


@app.callback()
def qafm(
    _version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Person re-identification with quality-aware fusion: score, describe, search and compare pictures of people.

    A research tool: read docs/responsible-use.md before pointing it at anybody.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what cannot be decoded is told once, by us


def _add(command: Any, *examples: str) -> None:
    app.command(epilog="\n\n".join(["**Examples**", *(f"`qafm {example}`" for example in examples)]))(command)


_add(score, "score person.jpg", "score crops/ --json > scores.json", "score person.jpg --model results/synthetic/r10/small/seed-1")
_add(attributes, "attributes person.jpg other.png", "attributes crops/ --json")
_add(
    embed,
    "embed crops/ -o gallery.parquet",
    "embed bounding_box_test/ -o gallery.parquet --names market",
    "embed people/ -o gallery.parquet --names folders --camera-pattern 'cam(\\d+)'",
)
_add(
    search,
    "search person.jpg --gallery gallery.parquet",
    "search person.jpg --gallery gallery.parquet --top 20 --html found.html",
    "search query/ --gallery gallery.parquet --names market --exclude-camera --png found.png",
)
_add(match, "match one.jpg other.jpg", "match one.jpg other.jpg --prior 0.01 --json")
_add(
    evaluate,
    "evaluate --query q.parquet --gallery g.parquet",
    "evaluate --query q.npz --gallery g.npz --same-camera keep",
    "evaluate --query q.pt --gallery g.pt",
)
_add(index, "index gallery.parquet")
_add(
    remove,
    "remove --gallery people.parquet --pid 12",
    "remove --gallery people.parquet --image a.jpg --image b.jpg",
    "remove -g people.parquet --missing",
)
_add(export, "export --format onnx -o model.onnx", "export --format torch -o model.pt2 --model results/synthetic/r10/small/seed-1")
_add(doctor, "doctor", "doctor --json")
