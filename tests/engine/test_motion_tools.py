"""The other motion jobs on clip folders: another take, a target pose, a cycle, clean motion, a learned style. What an
artist would notice. Uses the shipped weights and the formula rigs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from jobs_run import finish, run
from rigs import ARM, BIPED, PENDULUM, QUADRUPED, TAIL, keyed, waving

from engine import clips, job_folder, protocol, quat, skeleton
from engine.clips import Motion, read_mocap
from engine.motion import contacts, footing, metrics, variation
from engine.protocol import Clean, Extrapolate, Inbetween, JobError, LearnMotion, Loop

ROWS = [0, 25, 60, 64, 90, 120]


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Between rotations (…, 4)."""
    apart = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return np.degrees(4.0 * np.arcsin(np.minimum(apart / 2.0, 1.0)))


def walking(mocap: Path, take: int = 0) -> Motion:
    """A captured clip at 30 frames a second, all of it to be worked on."""
    data = read_mocap(mocap / "cmu_dev.npz")
    rotations, root = data.takes[take].rotations[::2][2:], data.takes[take].root[::2][2:]  # the first rows are no walk
    rows, joints = rotations.shape[:2]
    locations = np.zeros((rows, joints, 3), np.float32)
    locations[:, 0] = root
    every = np.ones((rows, joints), bool)
    return Motion(
        protocol.Clip(1, rows, 30.0, data.joints, data.parents, [], "Y"), data.takes[take].offsets,
        rotations.astype(np.float32), locations, np.zeros((rows, 0), np.float32), every, every.copy(),
        np.ones((rows, 0), bool), every[0], np.arange(joints) == 0, np.ones(0, bool),
    )  # fmt: skip


# --- another take ----------------------------------------------------------------------------------------------------


def test_a_take_differs_by_seed_and_keeps_the_keys(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED, frames=121), ROWS)
    takes = [
        run(tmp_path / str(i), motion, Inbetween(variation=v, seed=s))[1]
        for i, (v, s) in enumerate([(0.0, 1), (0.8, 1), (0.8, 1), (0.8, 2)])
    ]
    none, first, again, second = (take["rotations"] for take in takes)
    assert np.array_equal(first, again)
    assert degrees(none, first).max() > 1.0 < degrees(first, second).max()
    for take in takes:
        assert np.array_equal(take["rotations"][ROWS], motion.rotations[ROWS])
        assert np.array_equal(take["locations"][ROWS, 0], motion.locations[ROWS, 0])
        assert np.array_equal(take["values"][ROWS], motion.values[ROWS])
    assert np.allclose(none[60:65], first[60:65], atol=1e-6), "a gap of four frames has no room for whims"
    own, take = (variation.jerks(torch.from_numpy(x)) for x in (none, first))
    assert take[0] < 1.3 * own[0] + 1e-5 and take[1] < 1.3 * own[1] + 1e-5


def test_a_hold_breathes_in_a_take_only(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED, frames=121), [0, 40, 100, 120])
    motion.rotations[100] = motion.rotations[40]
    still = run(tmp_path / "a", motion, Inbetween(lock_feet=False))[1]["rotations"][40:101]
    moving = run(tmp_path / "b", motion, Inbetween(variation=1.0, lock_feet=False))[1]["rotations"][40:101]
    assert np.ptp(still, axis=0).max() == 0.0
    assert 0.1 < degrees(still, moving).max() < 3.0


def test_playing_on_varies_too(tmp_path: Path) -> None:
    motion = waving(BIPED)
    first, second = (
        run(tmp_path / str(seed), motion, Extrapolate(frames=90, variation=1.0, seed=seed))[1]["rotations"]
        for seed in (1, 2)
    )
    assert degrees(first, second).max() > 1.0
    assert degrees(first[0], motion.rotations[-1]).max() < 12.0


# --- a target --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rig", [BIPED, TAIL, PENDULUM])
@pytest.mark.parametrize("frames", [2, 30, 240])
def test_it_arrives_at_the_target(tmp_path: Path, rig: list[int], frames: int) -> None:
    motion = waving(rig)
    motion.locations[-1, 0] = motion.locations[-2, 0] + [0.5, -frames / 30.0, 0.0]
    _, made = run(tmp_path, motion, Extrapolate(frames=frames, towards_target=True))
    assert made["frame_start"] == motion.clip.frame_end and len(made["rotations"]) == frames
    for name in ("rotations", "locations", "values"):
        assert np.allclose(made[name][-1], getattr(motion, name)[-1], atol=1e-6), name
    path = np.concatenate([motion.rotations[-2:-1], made["rotations"]])
    assert degrees(path[1:], path[:-1]).max() < 25.0, "no pop on the way"
    steps = np.linalg.norm(np.diff(made["locations"][:, 0], axis=0), axis=-1)
    assert frames < 30 or steps.max() < 0.15, "it does not leap to the target"
    assert frames < 240 or np.ptp(made["rotations"][60:150], axis=0).max() > 0.05 or rig == PENDULUM, "alive on the way"


def test_playing_on_stays_at_its_height(tmp_path: Path) -> None:
    motion = waving(BIPED)
    _, made = run(tmp_path, motion, Extrapolate(frames=600))
    height, own = made["locations"][:, 0, 2], motion.locations[:, 0, 2]
    assert own.min() - 0.3 < height.min() and height.max() < own.max() + 0.3


# --- cycles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rig", [BIPED, TAIL, ARM, PENDULUM])
@pytest.mark.parametrize("keep_root", [True, False])
def test_a_cycle_meets_itself(tmp_path: Path, rig: list[int], keep_root: bool) -> None:
    motion = waving(rig, frames=50)
    outcome, made = run(tmp_path, motion, Loop(keep_root=keep_root))
    assert degrees(made["rotations"][0], made["rotations"][-1]).max() < 0.1
    assert np.allclose(made["values"][0], made["values"][-1], atol=1e-5)
    travel = made["locations"][-1, 0] - made["locations"][0, 0]
    expected = motion.locations[-1, 0] - motion.locations[0, 0] if keep_root else np.zeros(3)
    assert np.allclose(travel[:2], expected[:2], atol=1e-4) and abs(travel[2]) < 1e-5
    turned = np.concatenate([made["rotations"][-4:-1], made["rotations"][:4]])  # once around
    speeds = degrees(turned[1:], turned[:-1])
    assert np.abs(np.diff(speeds, axis=0)).max() < 3.0, "no joint changes its speed at the seam"
    assert outcome.figures["velocity_gap_after"] < 0.15 * outcome.figures["velocity_gap_before"]
    middle = slice(9, -9)
    assert np.allclose(made["rotations"][middle], motion.rotations[middle], atol=1e-6)


def test_further_cycles_travel_on_and_differ(tmp_path: Path) -> None:
    motion = waving(BIPED, frames=50)
    _, same = run(tmp_path / "a", motion, Loop(repeats=3))
    _, made = run(tmp_path / "b", motion, Loop(repeats=3, variation=1.0))
    assert len(made["rotations"]) == 50 + 3 * 49
    assert np.array_equal(made["rotations"][:50], same["rotations"][:50])
    cycles = [made["rotations"][49 + 49 * k : 99 + 49 * k] for k in range(3)]
    assert degrees(same["rotations"][49:99], same["rotations"][98:148]).max() < 0.1
    assert degrees(cycles[0], cycles[1]).max() > 1.0
    way = motion.locations[-1, 0] - motion.locations[0, 0]
    assert np.allclose((same["locations"][-1, 0] - same["locations"][0, 0])[:2], 4 * way[:2], atol=1e-3)
    assert np.array_equal(made["plain_rotations"][:50], motion.rotations), "the slider begins at what there was"


def test_a_walk_in_a_curve_goes_on_in_the_curve(tmp_path: Path) -> None:
    motion = waving(BIPED, frames=50)
    turn = np.linspace(0.0, 1.2, 50, dtype=np.float32)[:, None] * np.array([0, 0, 1], np.float32)
    yaw = quat.exp(torch.from_numpy(turn))
    motion.rotations[:, 0] = quat.multiply(yaw, torch.from_numpy(motion.rotations[:, 0])).numpy()
    motion.locations[:, 0] = quat.rotate(yaw, torch.tensor([5.0, 0.0, 0.0])).numpy()  # around a place
    outcome, made = run(tmp_path, motion, Loop(repeats=2))
    roots = torch.from_numpy(made["rotations"][[0, 49, 98, 147], 0])
    gone = quat.log(quat.multiply(roots[1:], quat.conjugate(roots[:-1])))
    assert torch.allclose(gone, gone[:1].expand(3, 3), atol=1e-3) and 0.6 < float(gone[0, 2]) < 1.6
    assert len(outcome.notes) == 1 and "turns by" in outcome.notes[0]


def test_a_cycle_leaves_the_rest_alone(tmp_path: Path) -> None:
    motion = waving(BIPED, frames=50)
    motion.rotation_wanted[5:], motion.location_wanted[:] = False, False
    _, made = run(tmp_path, motion, Loop(repeats=1))
    assert np.array_equal(made["rotations"][:50, 5:], motion.rotations[:, 5:])
    assert not made["rotation_filled"][:, 5:].any() and not made["location_filled"].any()


# --- cleaning --------------------------------------------------------------------------------------------------------


def test_jitter_goes_and_the_motion_stays(tmp_path: Path, mocap: Path) -> None:
    motion = walking(mocap)
    true, random = motion.rotations.copy(), np.random.default_rng(0)
    noise = quat.exp(torch.from_numpy(random.normal(0.0, 0.02, (*true.shape[:2], 3)).astype(np.float32)))
    motion.rotations = quat.multiply(torch.from_numpy(true), noise).numpy()
    outcome, made = run(tmp_path, motion, Clean(contacts=False))
    assert degrees(made["rotations"], true).mean() < 0.75 * degrees(motion.rotations, true).mean()
    rough, clean = (variation.jerks(torch.from_numpy(x))[0] for x in (motion.rotations, made["rotations"]))
    assert clean < 0.25 * rough
    assert np.array_equal(made["rotations"][[0, -1]], motion.rotations[[0, -1]])
    assert outcome.figures["max_degrees"] == pytest.approx(degrees(made["rotations"], motion.rotations).max(), abs=0.1)


def test_extremes_are_not_flattened(tmp_path: Path) -> None:
    motion = waving(BIPED, frames=90)
    _, made = run(tmp_path, motion, Clean(contacts=False))
    assert degrees(made["rotations"], motion.rotations).max() < 0.3


def test_feet_stand_where_they_stand(tmp_path: Path, mocap: Path) -> None:
    motion = walking(mocap)
    motion.locations[:, 0, 0] += 1.5 * np.sin(np.arange(len(motion.locations)) / 5.0)  # the whole body slides
    outcome, made = run(tmp_path, motion, Clean(smooth=0.0))
    assert outcome.figures["feet"] == 2.0
    assert outcome.figures["skate_after"] < 0.1 * outcome.figures["skate_before"]
    assert outcome.figures["max_degrees"] < 30.0
    moved = (degrees(made["rotations"], motion.rotations) > 1e-3).any(0)
    legs = {i for i, name in enumerate(motion.clip.joints) if any(part in name for part in ("Thigh", "Shin", "Foot"))}
    assert set(np.flatnonzero(moved)) == legs, "nothing but the legs"
    path = degrees(made["rotations"][1:], made["rotations"][:-1]).max(1)
    own = degrees(motion.rotations[1:], motion.rotations[:-1]).max(1)
    assert path.max() < 1.5 * own.max(), "no pop where a foot is let go"


def test_a_foot_that_is_placed(tmp_path: Path, mocap: Path) -> None:
    """A control rig's, which has no leg above it."""
    walk = walking(mocap)
    spot = skeleton.fk(
        *(torch.from_numpy(x) for x in (walk.rotations, walk.locations, walk.offsets)), walk.clip.parents
    )[1].numpy()
    foot, rows = walk.clip.joints.index("lFoot"), len(spot)
    motion = waving([-1, -1], frames=rows)
    motion.clip = dataclasses.replace(motion.clip, up="Y")
    motion.rotations[:] = [1.0, 0.0, 0.0, 0.0]
    motion.offsets[:] = [[0.0, 0.0, 0.0], [0.0, -16.0, 0.0]]
    motion.locations = np.stack([spot[:, 0] / 5.0, spot[:, foot] / 5.0], 1).astype(np.float32)
    motion.location_wanted[:] = True
    outcome, made = run(tmp_path / "placed", motion, Clean(smooth=0.0))
    assert outcome.figures["feet"] >= 1.0 and outcome.figures["skate_after"] < 0.5 * outcome.figures["skate_before"]
    assert np.array_equal(made["locations"][:, 0], motion.locations[:, 0])


def test_a_leg_of_many_bones_ends_where_it_should() -> None:
    """A digitigrade leg, and one with a twist bone in its thigh; the last bone keeps its angle to the world."""
    for lengths in ([0.0, 1.0, 0.7, 0.6, 0.9], [0.0, 0.5, 0.5, 0.0, 1.0]):
        motion = waving([-1, 0, 1, 2, 3], frames=20)
        motion.offsets[:] = np.array(lengths)[:, None] * np.array([[0.1, 0.05, -1.0]])
        motion.rotations[:, 1:] *= np.array([1, 3, 3, 3], np.float32)
        motion.rotations /= np.linalg.norm(motion.rotations, axis=-1, keepdims=True)
        q, p, offset = (torch.from_numpy(x) for x in (motion.rotations, motion.locations, motion.offsets))
        ground = contacts.Ground(motion.clip.parents, lengths, [0, 1, 2, 3, 4], 2, 3.0, 30.0)
        before, places = skeleton.fk(q, p, offset, ground.parents)
        move = torch.tensor([0.1, -0.1, 0.25]).expand(20, 3)
        turned, at = skeleton.fk(*contacts.hold(q, p, offset, ground, 4, move), offset, ground.parents)
        assert float((at[:, 4] - places[:, 4] - move).norm(dim=-1).max()) < 0.02
        assert torch.allclose(turned[:, 4].abs(), before[:, 4].abs(), atol=1e-4)


def test_no_foot_is_said(tmp_path: Path) -> None:
    outcome, made = run(tmp_path, waving(TAIL), Clean())
    assert len(outcome.notes) == 1 and "No foot" in outcome.notes[0]
    assert made["rotation_filled"][1:-1].all() and not made["rotation_filled"][[0, -1]].any()


def test_acted_feet_do_not_slide(tmp_path: Path, mocap: Path) -> None:
    """Where the walker's feet truly rest, they slide less in feet that are locked than in feet that are not."""
    motion = walking(mocap, 4)
    true = torch.from_numpy(motion.rotations.copy()), torch.from_numpy(motion.locations.copy())
    whole = torch.ones(true[0].shape[:2], dtype=torch.bool)
    feet = contacts.Feet(motion, *true, whole, whole)
    feet.find([])
    keys = np.zeros(len(motion.rotations), bool)
    keys[::24] = keys[-1] = True
    motion.rotation_keys[:], motion.location_keys[:] = keys[:, None], keys[:, None]
    slides = []
    for lock in (False, True):
        made = run(tmp_path / str(lock), motion, Inbetween(lock_feet=lock))[1]
        at = skeleton.fk(
            torch.from_numpy(made["rotations"]), torch.from_numpy(made["locations"]), feet.offset, feet.ground.parents
        )[1]
        slides.append(metrics.skate(at[:, feet.feet], feet.rest, 30.0))
        assert np.array_equal(made["rotations"][keys], motion.rotations[keys])
    assert feet.feet and slides[1] < 0.7 * slides[0]


def test_only_two_legs_step() -> None:
    """When feet rest was learned of people: a tail's tip and a quadruped's feet are left as they were acted."""
    motion = waving(TAIL, frames=60)
    whole = torch.ones(motion.rotations.shape[:2], dtype=torch.bool)
    acted = torch.from_numpy(motion.rotations), torch.from_numpy(motion.locations)
    feet = contacts.Feet(motion, *acted, whole, whole)
    tip = motion.rotations.shape[1] - 1
    free = torch.zeros(60, 1, dtype=torch.bool)
    rotations, locations = footing.step(*acted, feet.offset, feet.ground, [tip], free)
    assert torch.equal(rotations, acted[0]) and torch.equal(locations, acted[1])


# --- what is no body -------------------------------------------------------------------------------------------------


def sliders() -> Motion:
    """Two channels of a face, of no rig at all."""
    values = np.stack([np.sin(np.arange(60) / 5), np.cos(np.arange(60) / 9)], 1).astype(np.float32)
    keys = np.zeros((60, 2), bool)
    keys[[0, 20, 59]] = True
    none, masks = np.zeros((60, 0, 4), np.float32), np.zeros((60, 0), bool)
    return Motion(
        protocol.Clip(1, 60, 24.0, [], [], ["smile", "frown"]), none[0, :, :3], none, none[..., :3], values,
        masks, masks, keys, masks[0], masks[0], np.ones(2, bool),
    )  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        Inbetween(variation=0.5),
        Extrapolate(frames=90, variation=0.5),
        Extrapolate(frames=90, towards_target=True),
        Loop(repeats=2, variation=0.5),
        Loop(keep_root=False),
        Clean(),
    ],
    ids=lambda settings: type(settings).__name__,
)
def test_sliders_without_a_rig(tmp_path: Path, settings: protocol.Settings) -> None:
    outcome, made = run(tmp_path, sliders(), settings)
    assert made["value_filled"].any() and np.abs(made["values"]).max() < 2.0 and len(outcome.notes) <= 1


def test_four_hundred_frames_between_two_keys(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED, frames=402), [0, 401])
    _, made = run(tmp_path, motion, Inbetween(variation=1.0))
    assert np.array_equal(made["rotations"][[0, 401]], motion.rotations[[0, 401]])
    assert degrees(made["rotations"][1:], made["rotations"][:-1]).max() < 5.0


# --- learning --------------------------------------------------------------------------------------------------------


def store(folder: Path, motions: list[Motion]) -> None:
    for i, motion in enumerate(motions):
        clips.write_clip(folder / "clips", motion)
        for suffix in (".json", ".npz"):
            (folder / "clips" / f"clip{suffix}").rename(folder / "clips" / f"take {i}{suffix}")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder in which was learned from two takes of one rig that swings in its own way, and what was said."""
    folder = tmp_path_factory.mktemp("learned")
    store(folder, [waving(QUADRUPED, frames=200), waving(QUADRUPED, frames=150)])
    outcome = finish(folder, LearnMotion(seconds=12.0))
    if not outcome.results:  # a machine so busy that there were hardly any steps
        outcome = finish(folder, LearnMotion(seconds=90.0))
    assert outcome.results == ["learned/inbetween.safetensors", "learned/inbetween.json"]
    assert outcome.figures["over_base"] < 1.0 and outcome.figures["over_curves"] < 1.0
    assert outcome.figures["clips"] == 2 and outcome.figures["frames"] == 350
    return folder, outcome.notes


def test_what_was_learned_is_told_and_used(learned: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, notes = learned
    assert "2 clips, 350 frames" in notes[0] and "below the shipped network's" in notes[1]
    truth = waving(QUADRUPED, frames=200)
    rows = [row for row in range(200) if row % 25 < 10]
    motion = keyed(truth, rows)
    _, shipped = run(tmp_path / "a", motion, Inbetween())
    _, own = run(tmp_path / "b", motion, Inbetween(learned=str(folder / "learned")))
    error, before = (degrees(x["rotations"], truth.rotations).mean() for x in (own, shipped))
    assert error < before
    assert np.array_equal(own["rotations"][rows], motion.rotations[rows])


def test_another_rig_is_refused(learned: tuple[Path, list[str]], tmp_path: Path) -> None:
    with pytest.raises(JobError, match="learned on another rig"):
        run(tmp_path, keyed(waving(BIPED), [0, 30, 60]), Inbetween(learned=str(learned[0] / "learned")))


def test_what_is_not_better_is_not_kept(tmp_path: Path) -> None:
    store(tmp_path, [waving(QUADRUPED, frames=300)])
    outcome = finish(tmp_path, LearnMotion(seconds=1e-6))
    assert outcome.results == [] and "not better" in outcome.notes[1] and not (tmp_path / "learned").exists()


def other_rig(folder: Path) -> None:
    store(folder, [waving(QUADRUPED, frames=200), waving(BIPED, frames=200)])


def too_short(folder: Path) -> None:
    store(folder, [waving(QUADRUPED, frames=60)])


def nothing(folder: Path) -> None:
    (folder / "clips").mkdir(parents=True)


@pytest.mark.parametrize(
    ("make", "said"), [(other_rig, "another rig"), (too_short, "too little motion"), (nothing, "no clip to learn from")]
)
def test_what_cannot_be_learned_from(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    make(tmp_path)
    with pytest.raises(JobError, match=said):
        finish(tmp_path, LearnMotion(seconds=1.0))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Loop(blend=0), "blend"),
        (Loop(repeats=-1), "repeats"),
        (Clean(feet=[99]), "foot"),
        (Inbetween(variation=2.0), "variation"),
        (Extrapolate(frames=1, towards_target=True), "2 frames"),
        (LearnMotion(kind="dance"), "inbetween"),
    ],
)
def test_settings_that_cannot_work(tmp_path: Path, settings: protocol.Settings, said: str) -> None:
    clips.write_clip(tmp_path, waving(BIPED))
    job_folder.write_job(tmp_path, settings)
    with pytest.raises(JobError, match=said):
        job_folder.read_job(tmp_path)
