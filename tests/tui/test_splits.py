"""How panes divide the screen: shares stay within bounds on every screen, and keys move the edges one expects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.operator import Operator, watching
from tui.overview import Overview
from tui.splits import MIN_CELLS, MIN_LINES, Axis, Edge, Shape

THREE = Shape(
    {Axis.X: ("first", "", "last"), Axis.Y: ("top", "")},
    {"first": 33, "last": 27, "top": 50},
    {Axis.X: {0: Edge("first"), 1: Edge("last", grows=False), 2: Edge("last")}, Axis.Y: {1: Edge("top")}},
)


@given(
    axis=st.sampled_from(Axis),
    chosen=st.dictionaries(st.sampled_from(("first", "last", "top")), st.integers(1, 99)),
    size=st.integers(1, 400),
)
def test_every_band_has_its_least_on_every_screen(axis: Axis, chosen: dict[str, int], size: int) -> None:
    weights = THREE.weights(axis, chosen, size)
    assert tuple(weights) == THREE.bands[axis]
    assert sum(weights.values()) == 100
    least = MIN_CELLS if axis is Axis.X else MIN_LINES
    roomy = size >= least * len(weights) * 1.04
    for weight in weights.values():
        assert weight * size >= least * 100 if roomy else weight >= 100 // len(weights) - 1


@given(
    pane=st.sampled_from((0, 1, 2)),
    step=st.sampled_from((1, -1)),
    chosen=st.dictionaries(st.sampled_from(("first", "last")), st.integers(1, 99)),
    size=st.integers(130, 400),
)
def test_a_pane_grows_or_shrinks_until_it_cannot(pane: int, step: int, chosen: dict[str, int], size: int) -> None:
    def width(shares: dict[str, int]) -> int:
        return list(THREE.weights(Axis.X, shares, size).values())[(0, 1, 2)[pane]]

    for _ in range(40):
        moved = THREE.resized(pane, Axis.X, step, chosen, size)
        if moved == chosen:
            return
        assert (width(moved) - width(chosen)) * step > 0
        assert abs(width(moved) - width(chosen)) <= 5
        chosen = moved
    raise AssertionError("it never came to an end")


def test_steps_are_whole_multiples_of_five() -> None:
    assert THREE.resized(0, Axis.X, 1, {}, 250) == {"first": 35}
    assert THREE.resized(0, Axis.X, -1, {}, 250) == {"first": 30}
    assert THREE.resized(1, Axis.X, 1, {"last": 30}, 250) == {"last": 25}
    assert not THREE.movable(0, Axis.Y)


def corner(operator: Operator, pane: str) -> tuple[int, int, int, int]:
    """Where a pane is: x, y, width, height."""
    region = operator.app.screen.query_one(f"#{pane}").region
    return region.x, region.y, region.width, region.height


async def test_keys_make_the_pane_with_the_focus_larger_and_smaller() -> None:
    async with watching(size=(200, 63)) as operator:
        assert corner(operator, "desks") == (0, 1, 99, 30)
        await operator.press("greater_than_sign")
        assert corner(operator, "desks")[2] == 109
        assert corner(operator, "markets")[2] == 90
        await operator.press("tab", "greater_than_sign", "greater_than_sign")
        assert corner(operator, "markets")[2] == 110
        await operator.press("plus")
        assert corner(operator, "markets")[3] == 33
        assert corner(operator, "liquidations")[3] == 27
        await operator.press("4", "plus", "plus")
        assert corner(operator, "liquidations")[3] == 33
        await operator.press("less_than_sign", "minus")
        assert corner(operator, "liquidations")[2:] == (100, 30)


@pytest.mark.parametrize(("key", "words"), [("less_than_sign", "narrower"), ("minus", "lower")])
async def test_no_pane_is_made_useless_and_that_is_said(key: str, words: str) -> None:
    async with watching(size=(120, 40)) as operator:
        await operator.press(*[key] * 12)
        assert operator.message == f"desks cannot be made {words}: that is all there is room for"
        assert corner(operator, "desks")[2] >= MIN_CELLS
        assert corner(operator, "desks")[3] >= MIN_LINES
        lines = operator.lines()
        await operator.press(key)
        assert operator.lines()[:-2] == lines[:-2]


async def test_where_nothing_can_be_divided_that_is_said() -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press("greater_than_sign")
        assert operator.message == "desks cannot be made wider: no pane beside it to divide the room with"
        await operator.press("plus")
        assert corner(operator, "desks")[3] == 11
        await operator.press("z", "plus")
        assert operator.message == "desks cannot be made higher: it is zoomed"
        assert corner(operator, "desks")[3] == 21
        await operator.press("z")
        assert corner(operator, "desks")[3] == 11
        await operator.press("8", "plus")
        assert operator.message.startswith("accounts cannot be made higher: no pane above or below it")


async def test_a_narrow_screen_has_sizes_of_its_own() -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press("plus", "plus")
        low = corner(operator, "desks")[3]
        await operator.resize(120, 40)
        assert corner(operator, "desks") == (0, 1, 59, 18)
        await operator.resize(80, 24)
        assert corner(operator, "desks")[3] == low


@pytest.mark.parametrize("size", [(250, 70), (320, 90)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_very_wide_screen_has_three_columns_and_shows_every_column(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        screen = operator.app.screen
        assert isinstance(screen, Overview)
        height = size[1] - 3
        desks, markets, agent, queue = (corner(operator, grid.id or "") for grid in screen.grids)
        assert desks[3] == agent[3] == height
        assert markets[3] + queue[3] == height
        assert markets[0] == queue[0] == desks[2] + 1
        assert agent[0] + agent[2] == size[0]
        for grid in (screen.grids[0], screen.grids[1], screen.grids[3]):
            assert len(grid.shown) == len(grid.table.columns), grid.id
        await operator.press("3", "z")
        assert corner(operator, "agent") == (0, 1, size[0], height)
        await operator.press("z", "greater_than_sign")
        assert corner(operator, "agent")[2] > agent[2]
        await operator.press("plus")
        assert operator.message.startswith("agent cannot be made higher: no pane above or below it")
        await operator.resize(120, 40)
        assert corner(operator, "agent")[0] == 0
