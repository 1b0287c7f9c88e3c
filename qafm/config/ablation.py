"""Settings of stage 7: the rows of Table 4 and of the table beside it (paper section V, ablation of alpha)."""

from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from qafm.config.base import Settings

Rival = Literal["mspa_0.5", "baseline", "baseline_twins"]
RIVALS: tuple[Rival, ...] = get_args(Rival)
RIVAL_TRAININGS: dict[Rival, tuple[str, ...]] = {  # row: the folders of the trainings it needs beside QAFM's own
    "mspa_0.5": ("mspa",),
    "baseline": ("baseline-a",),
    "baseline_twins": ("baseline-a", "baseline-b"),
}

ROW_SETTINGS = {  # row: what it reads beside the ranks
    "shuffled": ("permutations", "seed"),
    "best_fixed": ("grid",),
    "best_fixed_test": ("grid",),
    "oracle_query": ("grid",),
}


class AblationConfig(Settings):
    """Rules evaluate_alpha, tabulate_ablation and tabulate_extra."""

    alphas: tuple[float, ...] = Field(default=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), description="paper_alpha (the weight of APAN) of the fixed rows")
    ranks: tuple[int, ...] = Field(default=(1, 5, 10), description="ranks of the CMC, 1 among them")
    grid: int = Field(default=21, ge=2, description="weights from 0 to 1 among which the best fixed one, the per-query best and those of the guides are sought")
    rivals: tuple[Rival, ...] = Field(
        default=RIVALS,
        description="rows of table4_extra.csv with networks of their own: what is left out is not trained; without baseline_twins oracle.csv has no plain null",
    )
    permutations: int = Field(default=5, ge=1, description="random assignments of the weights that the row `shuffled` averages")
    bootstrap_samples: int = Field(default=2000, ge=1, description="draws of identities for the 95 percent intervals, those of quality.csv, too")
    seed: int = Field(default=1, ge=0, description="seed of the permutations, of the bootstraps and of the random guide")

    @field_validator("alphas")
    @classmethod
    def _alphas_inside(cls, alphas: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < alpha < 1 for alpha in alphas) or list(alphas) != sorted(set(alphas)):
            raise ValueError("must lie strictly between 0 and 1 (both ends are rows of their own), ascending, without repetition")
        return alphas

    @field_validator("ranks")
    @classmethod
    def _ranks_ascending(cls, ranks: tuple[int, ...]) -> tuple[int, ...]:
        if not ranks or ranks[0] < 1 or list(ranks) != sorted(set(ranks)):
            raise ValueError("must be at least one rank, from 1 on, ascending, without repetition")
        return ranks

    @field_validator("rivals")
    @classmethod
    def _rivals_in_order(cls, rivals: tuple[Rival, ...]) -> tuple[Rival, ...]:
        if len(set(rivals)) < len(rivals):
            raise ValueError("names a row twice")
        return tuple(name for name in RIVALS if name in rivals)

    def trained_for_rivals(self) -> set[str]:
        """Folders of the trainings that only the rows `rivals` need."""
        return {stage for name in self.rivals for stage in RIVAL_TRAININGS[name]}

    def decisive(self) -> dict[str, Any]:
        """What decides the content of a row; `rivals` only say which there are."""
        return self.model_dump(mode="json", exclude={"rivals"})

    def read_by(self, experiment: str) -> "AblationConfig":
        """These settings as far as one row reads them, all else at its default: what decides the row."""
        read = {"ranks", *ROW_SETTINGS.get(experiment, ())}
        return AblationConfig.model_validate(self.model_dump(include=read))

    def paper_experiments(self) -> tuple[str, ...]:
        """The rows of Table 4 in the paper's order: QAFM, both single branches, the fixed weights."""
        return ("qafm", "apn_only_alpha_0", "apan_only_alpha_1", *(f"fixed_alpha_{alpha:g}" for alpha in self.alphas))

    def extra_experiments(self) -> tuple[str, ...]:
        """The rows beside the paper's, from the same embeddings; `rivals`, from networks of their own, come on top."""
        scopes = ("scope_query", "scope_pair", "oracle_query")
        return ("apn_descriptor", "apan_descriptor", "concat_0.5", "concat_qafm", "best_fixed", "best_fixed_test", "shuffled", *scopes)
