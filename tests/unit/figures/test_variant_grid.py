import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qafm.config.perturb import PerturbConfig
from qafm.figures.variant_grid import LABEL, TITLE, Shown, VariantGrid, arrange_variants
from qafm.perturbations.catalog import catalog

MANY = PerturbConfig(
    light_offsets=tuple(range(-100, 0, 5)),
    blur_sigmas_px=tuple(float(sigma) for sigma in range(1, 21)),
    occlusion_sizes=tuple(size / 20 for size in range(1, 11)),
    background_scales=(1.2, 1.0, 0.9, 0.8, 0.7),
)
FEW = PerturbConfig(light_offsets=(), blur_sigmas_px=(1.0,), occlusion_sizes=(), background_scales=(), gaussian_sigma=None, salt_pepper=None)


def rows(grid: VariantGrid) -> list[float]:
    return sorted({shown.top for shown in grid.pictures})


def test_the_papers_families_on_a_full_page() -> None:
    grid = arrange_variants(PerturbConfig(), 0.5, 5.2)
    assert [title.text for title in grid.titles] == [
        "light: 4 (V offset)",
        "blur: 3 (σ, px)",
        "occlusion: 16 (share of side)",
        "background: 8 (oval)",
        "noise: 3",
    ]
    labels = ["−90", "−45", "+45", "+90", "1", "1.5", "1.85", "5 %", "10 %", "15 %", "20 %", "×1.2", "×1", "Gauss", "S & P", "speckle"]
    assert [label.text for label in grid.labels] == labels
    assert len(rows(grid)) == 3 and grid.picture[1] == pytest.approx(2 * grid.picture[0])
    tops = {shown.variant: shown.top for shown in grid.pictures}
    assert len({tops[variant] for variant in range(8, 24)}) == 1  # the 16 occlusions side by side


@given(config=st.sampled_from([PerturbConfig(), MANY, FEW]), aspect=st.floats(0.05, 20), width=st.floats(2.4, 12))
@settings(max_examples=40, deadline=None)
def test_every_variant_has_a_place_of_its_own_within_the_grid(config: PerturbConfig, aspect: float, width: float) -> None:
    grid = arrange_variants(config, aspect, width)
    assert [shown.variant for shown in grid.pictures] == list(range(1, len(catalog(config)) + 1))
    wide, high = grid.picture
    assert wide / high == pytest.approx(aspect)
    for shown in grid.pictures:
        assert shown.left >= 0 and shown.left + wide <= width + 1e-9
        assert shown.top >= TITLE - 1e-9 and shown.top + high + LABEL <= grid.height + 1e-9
    for first, second in zip(grid.pictures[:-1], grid.pictures[1:], strict=True):  # in reading order, none on another
        assert (second.top == first.top and second.left >= first.left + wide) or second.top >= first.top + high + LABEL


@pytest.mark.parametrize("width", [2.9, 5.2])
def test_titles_stand_above_their_family_and_below_the_row_before(width: float) -> None:
    grid = arrange_variants(MANY, 0.5, width)
    families = [entry.family for entry in catalog(MANY)]
    for title in grid.titles:
        first = grid.pictures[families.index(title.text.split(":")[0])]
        assert title.y == pytest.approx(first.top - TITLE / 2) and title.x <= first.left + 0.2
        before = [top for top in rows(grid) if top < first.top]
        assert not before or title.y - TITLE / 2 >= max(before) + grid.picture[1] + LABEL - 1e-9


@pytest.mark.parametrize("width", [2.9, 5.2])
@pytest.mark.parametrize("config", [PerturbConfig(), MANY, FEW])
def test_labels_stand_in_the_middle_below_the_pictures_of_their_strength(config: PerturbConfig, width: float) -> None:
    grid = arrange_variants(config, 0.5, width)
    groups: dict[str, list[Shown]] = {}
    for entry, shown in zip(catalog(config), grid.pictures, strict=True):
        several = entry.family in ("occlusion", "background")  # sides and colours of one strength stand side by side
        groups.setdefault(f"{entry.family}_{entry.parameter}" if several else entry.name, []).append(shown)
    for label, pictures in zip(grid.labels, groups.values(), strict=True):
        assert label.x == pytest.approx((pictures[0].left + pictures[-1].left + grid.picture[0]) / 2)
        assert {shown.top + grid.picture[1] + LABEL / 2 for shown in pictures} == {label.y}


def test_pictures_grow_as_long_as_the_rows_stay() -> None:
    narrow, wide = arrange_variants(PerturbConfig(), 0.5, 5.0), arrange_variants(PerturbConfig(), 0.5, 5.4)
    assert len(rows(narrow)) == len(rows(wide)) and wide.picture[0] > narrow.picture[0]


def test_absent_families_are_absent() -> None:
    assert [title.text.split(":")[0] for title in arrange_variants(FEW, 0.5, 5).titles] == ["blur", "noise"]
