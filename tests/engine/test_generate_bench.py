"""The benchmark of Generate: that its effects are what they say, that its figures tell good from bad, that its rivals are at
their best, and that a run leaves what it promises. The figures themselves are the benchmark's business."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import effects, features, generate, generate_rivals, generate_scores


@pytest.mark.parametrize("name", list(effects.EFFECTS))
def test_an_effect_goes_on_as_it_began(name: str) -> None:
    short, long = effects.clip(name, 3, 32), effects.clip(name, 6, 32)
    assert short.shape == (3, 32, 32, 4) and short.dtype == np.uint8
    assert (long[:3] == short).all(), "the first frames do not depend on how many follow"
    assert (effects.clip(name, 3, 32, seed=1) != short).any(), "another seed is another clip"
    assert (long[0] != long[4]).any(), "it moves"
    opaque = (short[..., 3] == 255).mean()
    assert opaque == 1 if name == "water" else 0.05 < (short[..., 3] > 0).mean() < 0.9


def test_effects_are_kept_and_found_again(tmp_path: Path) -> None:
    first = effects.clip("gears", 3, 32, cache=tmp_path)
    assert (effects.clip("gears", 2, 32, cache=tmp_path) == first[:2]).all() and len(list(tmp_path.iterdir())) == 1


def texture(count: int, speed: float = 1.0, side: int = 48) -> np.ndarray:
    """(count, side, side, 4) float32, opaque: a pattern that moves to the right."""
    y, x = np.mgrid[:side, :side]
    frames = []
    for t in range(count):
        u = x - speed * t
        grey = 0.5 + 0.2 * np.sin(0.5 * u + 0.3 * y) + 0.2 * np.sin(0.23 * u - 0.4 * y)
        frames.append(np.dstack([grey, grey * 0.8, grey * 0.6, np.ones_like(grey)]))
    return np.stack(frames).astype(np.float32)


def test_the_seam_of_a_true_loop_is_one_and_of_a_cut_one_is_not() -> None:
    phase = np.linspace(0, 2 * np.pi, 8, endpoint=False)[None, :, None, None] * np.ones((24, 8, 8, 3))
    turns = 0.5 + 0.4 * np.sin(phase + np.arange(24)[:, None, None, None] * 2 * np.pi / 24)
    ramp = np.linspace(0, 1, 24)[:, None, None, None] * np.ones((24, 8, 8, 3))
    assert generate_scores.seam(turns) == pytest.approx(1, abs=0.1)
    assert generate_scores.seam(ramp) == pytest.approx(23, rel=0.01)


def test_copies_are_known_as_copies() -> None:
    rng = np.random.default_rng(0)
    given = rng.uniform(size=(12, 64, 64, 3)).astype(np.float32)
    mixed = np.stack(
        [np.where(rng.uniform(size=(64, 64, 1)) < 0.5, given[i % 12], given[(i + 5) % 12]) for i in range(12)]
    )
    assert generate_scores.copying(given[3:9], given) == 1
    assert generate_scores.copying(mixed.astype(np.float32), given) < 0.3


def test_blur_and_standing_still_show_in_the_features_and_the_signs_of_collapse() -> None:
    clip = generate_scores.over_grey(generate.premultiplied(effects.clip("flame", 60, 64)))
    later = generate_scores.Later(clip[:20], clip[20:40])
    good, still = later.score(clip[40:]), later.score(np.repeat(clip[40:41], 20, 0))
    blurred = later.score((clip[40:] + np.roll(clip[40:], 2, 1) + np.roll(clip[40:], 2, 2)) / 3)
    assert good["FD frames"] < blurred["FD frames"] and good["FD changes"] < still["FD changes"]
    assert still["motion at the end"] == 0 and blurred["sharpness at the end"] < 0.7 * good["sharpness at the end"]


def test_a_set_is_as_far_from_itself_as_nothing() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=(80, 5))
    assert features.frechet(first, first) == pytest.approx(0, abs=1e-5)
    assert features.frechet(first, first + 2) == pytest.approx(20, rel=0.01)


def test_rivals_do_what_they_can() -> None:
    clip = texture(20)
    given, truth = clip[:12], clip[12:]
    made = {name: method(given, 8) for name, method in generate.RIVALS.items()}
    assert all(x.shape == truth.shape and np.isfinite(x).all() for x in made.values())
    inner = np.s_[:4, :, 12:-4]
    error = {name: float(((x - truth)[inner] ** 2).mean()) for name, x in made.items()}
    assert error["flow"] < 0.3 * error["hold"], "flow pushes a pattern on"
    assert np.abs(made["cross-fade"][-1][..., None, :] - 0).max() > 0.5
    loop = generate_rivals.cycle(given)
    assert np.abs(loop[0] - loop[-1]).mean() < 0.5 * np.abs(given[0] - given[-1]).mean()
    between = generate_rivals.flow_between(clip[::2])
    assert ((between - clip[1:-1:2])[:, 8:-8, 8:-8] ** 2).mean() < 0.1 * (
        (generate_rivals.blend(clip[::2]) - clip[1:-1:2])[:, 8:-8, 8:-8] ** 2
    ).mean()


def test_a_quick_run_leaves_a_table_figures_and_a_sheet_and_is_not_done_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--quick", "--effects", "gears", "--how", "between", "--out", str(tmp_path / "out")]
    generate.main(asked)
    table = json.loads((tmp_path / "out" / "generate.json").read_text())["effects"]["gears"]["between"]
    assert set(table) == {"blend", "flow", "ours"} and table["ours"]["PSNR"] > table["blend"]["PSNR"]
    capsys.readouterr()
    generate.main([*asked, "--results", str(tmp_path / "results")])
    assert "between\n" not in capsys.readouterr().out, "taken up from the run before"
    assert "| ours |" in (tmp_path / "results" / "generate.md").read_text()
    assert (tmp_path / "results" / "generate" / "gears_between.jpg").stat().st_size > 2000
