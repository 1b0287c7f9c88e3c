"""The whole configuration of a run: checked before the DAG is built. Only the Snakefile and the CLI read it; stages get slices."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from qafm.config.ablation import AblationConfig
from qafm.config.base import Seed, Settings, first_key, first_problem
from qafm.config.bundle import BundleSection
from qafm.config.calibration import CalibrationConfig
from qafm.config.companions import CompanionsConfig
from qafm.config.controls import ControlsConfig
from qafm.config.dataset import DatasetConfig
from qafm.config.degradations import DegradationsConfig
from qafm.config.features import FeaturesConfig
from qafm.config.figures import FiguresConfig
from qafm.config.model import ModelConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality_section import QualitySection
from qafm.config.report import ReportConfig
from qafm.config.rerank import RerankConfig
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError, one_line


class RunConfig(Settings):
    """One run: a data set, its features and Q, a model, and the tables made of them."""

    seeds: tuple[Seed, ...] = Field(min_length=1, description="one model is trained per seed; tables show mean and sd")
    runtime: RuntimeConfig
    dataset: DatasetConfig
    perturb: PerturbConfig
    features: FeaturesConfig
    quality: QualitySection
    model: ModelConfig
    ablation: AblationConfig
    degradations: DegradationsConfig = DegradationsConfig()
    rerank: RerankConfig = RerankConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    controls: ControlsConfig = ControlsConfig()
    figures: FiguresConfig
    report: ReportConfig
    bundle: BundleSection = BundleSection()
    companions: CompanionsConfig = CompanionsConfig()

    @property
    def apan_is_pretrained(self) -> bool:
        """Whether APAN is trained alone first: asked for, and with something to learn from."""
        return self.model.apan.pretrain and (self.dataset.has_attributes or self.model.apan.stage_1 == "all")

    @property
    def extractor_is_needed(self) -> bool:
        """Whether anything of the chain is made with the extractor: Q, where it is computed, or the first weights of the branches."""
        return self.quality.source == "compute" or self.model.backbone.init == "extractor"

    def table_run(self) -> dict[str, str | bool]:
        """What the tables say of the run: names of the three levels, first weights, and whether it is Market-1501."""
        extractor, branches = self.features.extractor.backbone.init, self.model.backbone.init
        return {
            "dataset": self.dataset.name,
            "features": self.features.name,
            "model": self.model.name,
            "init": f"extractor from {extractor}" if branches == "extractor" else branches,
            "market1501": self.dataset.is_market1501,
        }

    def folders(self) -> tuple[Path, Path, Path]:
        """Where results lie, relative to the project's root: what depends on the data set, on the features too, on the model too."""
        dataset = Path("results") / self.dataset.name
        features = dataset / self.features.name
        return dataset, features, features / self.model.name

    def seed_folder(self, seed: int | str) -> Path:
        """Where the results of the model of a seed lie, below the last of `folders`; a rule gives its wildcard, "{seed}"."""
        return self.folders()[2] / f"seed-{seed}"

    def q_network(self) -> QNetwork:
        """What Q of an image that stages 2 to 4 have not seen is computed by, where Q is computed."""
        return QNetwork(extractor=self.features.extractor.backbone, perturb=self.perturb, quality=self.quality.score_slice())

    @model_validator(mode="after")
    def _sections_fit_together(self) -> "RunConfig":
        fusion = self.model.fusion
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("seeds: a seed appears twice")
        if self.dataset.holdout_ids < 2 and fusion.needs_holdout:
            key, other = ("target: holdout", "train") if fusion.taught_on == "holdout" else ("start: best_fixed", "half")
            raise ValueError(f"model.fusion.alpha.{key} needs dataset.holdout_ids of at least 2; hold some out, or choose {other}")
        if fusion.taught_on == "train" and not self.model.apan.architecture.identity_head:
            raise ValueError("model.fusion.alpha.target: train needs model.apan.architecture.identity_head: true, whose losses it compares")
        if fusion.alpha.fixed is None and fusion.freeze_epochs >= fusion.epochs:
            raise ValueError(f"model.fusion.freeze_epochs: the weight learns after them, and {fusion.epochs} epochs leave none; choose fewer, or a fixed alpha")
        if self.dataset.same_camera == "drop" and (blind := self.dataset.without_cameras()):
            raise ValueError(f"dataset.same_camera: drop needs cameras; give dataset.{blind[0]}.camera_pattern with a group camera, or choose keep")
        extractor = self.features.extractor.backbone
        if extractor.init == "extractor":
            raise ValueError("features.extractor.backbone.init: the extractor cannot start from itself; choose imagenet or random")
        backbone = self.model.backbone
        if backbone.init == "extractor" and backbone.architecture != extractor.architecture:
            raise ValueError(f"model.backbone: init extractor needs the extractor's architecture ({extractor.architecture}), not {backbone.architecture}")
        if self.ablation.ranks[0] != 1:
            raise ValueError("ablation.ranks: must begin with 1, since report and bundles show Rank-1")
        if not self.dataset.has_attributes and not self.model.apan.architecture.identity_head:
            raise ValueError("model.apan.architecture.identity_head: without attributes APAN needs its identity head")
        return self


def load_run_config(config: dict[str, Any], files: Sequence[Path] = (), otherwise: str = "config") -> RunConfig:
    """Check a merged configuration.

    Args:
        config: nested mappings as read from YAML.
        files: the YAML files it was merged from, in their order.
        otherwise: what the error names where no single file says what is wrong.

    Raises:
        InputError: an unknown key, a missing key or a wrong value; one line names the first key, the reason, and the file that says so, where one does.
    """
    try:
        return RunConfig.model_validate(config)
    except ValidationError as error:
        key = first_key(error)
        wrong = _at(config, key)
        saying = [path for path in files if key and wrong is not None and _at(_read_yaml(path), key) == wrong]
        raise InputError(f"{os.path.relpath(saying[-1]) if saying else otherwise}: {first_problem(error)}") from None


def _at(content: Any, key: Sequence[int | str]) -> Any:
    """What stands at a key of nested mappings and lists; None where nothing does."""
    for part in key:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def merge(base: dict[str, Any], preset: dict[str, Any]) -> dict[str, Any]:
    """`preset` over `base`, mapping by mapping, as Snakemake merges a --configfile over the default one."""
    merged = dict(base)
    for key, value in preset.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def load_run_files(files: Sequence[Path]) -> RunConfig:
    """The run that YAML files describe, each laid over those before it; the first one is a whole configuration.

    Raises:
        InputError: a file is no YAML mapping, or what they give together does not pass the checks; one line names the file, the last one where no single
            file says what is wrong.
    """
    return _load([(path, _read_yaml(path)) for path in files])


def load_presets(folder: Path) -> dict[str, RunConfig]:
    """All presets of a folder, each laid over its config.yaml, by file name.

    Raises:
        InputError: as of `load_run_files`.
    """
    base = folder / "config.yaml"
    content = _read_yaml(base)
    return {path.name: _load([(base, content), (path, _read_yaml(path))]) for path in sorted(folder.glob("*.yaml"))}


def _load(contents: Sequence[tuple[Path, dict[str, Any]]]) -> RunConfig:
    merged: dict[str, Any] = {}
    for _, content in contents:
        merged = merge(merged, content)
    files = [path for path, _ in contents]
    return load_run_config(merged, files, os.path.relpath(files[-1]))


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({one_line(error)})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no mapping")
    return content


def check_names(presets: dict[str, RunConfig]) -> None:
    """Two presets that differ in a stage must differ in that stage's name, or they would overwrite each other's results.

    What decides no file below a name may differ: `seeds`, which have folders of their own, and `controls`, `figures`, `report`, `ablation.rivals` and the
    comparison's rows, which make what lies directly in results/ and what is drawn in a moment.

    Raises:
        InputError: names the two presets and the name they share.
    """
    seen: dict[tuple[str, ...], tuple[str, Any]] = {}
    for preset, run in presets.items():
        d, f, m = run.dataset.name, run.features.name, run.model.name
        bpbreid, runtime = run.companions.bpbreid, run.runtime.decisive()
        generated = run.dataset.synthetic if run.dataset.kind == "synthetic" else None
        stages = {
            (d,): (run.dataset.parse_slice(), run.dataset.same_camera, run.dataset.shards, generated, run.perturb),
            (d, f): (run.features, run.quality.score_slice(), runtime),
            (d, f, m): (run.model, run.ablation.decisive(), run.degradations, run.rerank, run.calibration, run.bundle, runtime),
            **{(d, "companions", name): (content, runtime) for name, content in run.companions.par.stages().items()},
            (d, "companions", "slicenet", run.companions.slicenet.name): (run.companions.slicenet, runtime),
            (d, "companions", "bpbreid", bpbreid.name): (bpbreid, run.features.extractor if bpbreid.backbone.init == "extractor" else None, runtime),
            (d, f, m, run.companions.comparison.name): (run.companions.common_parts(), runtime),
        }
        for names, content in stages.items():
            other, first = seen.setdefault(names, (preset, content))
            if content != first:
                raise InputError(f"config/{preset}: differs from config/{other} but writes to the same results/{'/'.join(names)}; give it a name of its own")
