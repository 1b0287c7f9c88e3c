"""One legend for all panels of a figure."""

from matplotlib.figure import Figure


def add_legend(figure: Figure, columns: int | None = None) -> None:
    """Put one legend below the panels, where it hides nothing; what is drawn in several panels is named once.

    Args:
        figure: its axes hold what is to be named; without anything named there is no legend.
        columns: entries per line; None: all in one.
    """
    named = {label: handle for axes in figure.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=columns or len(named), fontsize=8)
