"""Creatures and machines by formula, for training only: walkers on any number of legs with planted feet, hands, chains in
waves, machines that drive from pose to pose. Knows no network.

A take is made in the convention of the captured ones, Y up; rigs face anywhere. Sizes, gaits, reach and timing are drawn
anew for each rig, so that no rig of anybody's is among them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton

RATE = 60.0
TAKES, ROWS = 8, 420
TIME = np.arange(ROWS) / RATE
SLACK = 0.975  # of a leg's length: how far it is stretched
TOP_SPEED = 25.0  # radians a second


@dataclass
class Body:
    """A rig in the making: parents, offsets; global rotations (TAKES, ROWS, 4) of the joints made so far."""

    parents: list[int] = field(default_factory=list)
    offsets: list[np.ndarray] = field(default_factory=list)
    turned: list[Tensor] = field(default_factory=list)
    places: list[Tensor] = field(default_factory=list)

    def add(self, parent: int, offset: np.ndarray, turn: Tensor, *, world: bool = False) -> int:
        """A joint that turns within its parent, or, world, as given; its number."""
        self.parents.append(parent)
        self.offsets.append(np.asarray(offset, np.float32))
        if parent >= 0:
            over = self.turned[parent]
            self.turned.append(turn if world else quat.multiply(over, turn))
            self.places.append(self.places[parent] + quat.rotate(over, tensor(offset).expand(*over.shape[:2], 3)))
        else:
            self.turned.append(turn)
        return len(self.parents) - 1


def tensor(x: np.ndarray) -> Tensor:
    """In single precision."""
    return torch.as_tensor(np.asarray(x), dtype=torch.float32)


# --- signals ---------------------------------------------------------------------------------------------------------


def ease(u: np.ndarray, kind: int) -> np.ndarray:
    """0 to 1 as machines, animators and muscles go."""
    u = u.clip(0.0, 1.0)
    if kind == 0:
        return 0.5 - 0.5 * np.cos(np.pi * u)
    if kind == 1:
        return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    ramp = 0.05 if kind == 2 else 0.3  # hardly any ramp, or equal ones
    rise, fall = u**2 / (2 * ramp), 1.0 - ramp - (1.0 - u) ** 2 / (2 * ramp)
    made: np.ndarray = np.where(u < ramp, rise, np.where(u < 1.0 - ramp, u - ramp / 2, fall)) / (1.0 - ramp)
    return made


def eased(
    rng: np.random.Generator, count: int, seconds: float, kind: int | None = None, wait: float = 0.0
) -> np.ndarray:
    """Signals (TAKES, ROWS, count) of about unit size that go from value to value, with waits; all of them at once."""
    out = np.empty((TAKES, ROWS, count))
    kind = int(rng.integers(2)) if kind is None else kind
    for take in out:
        ends = np.cumsum(seconds * rng.uniform(0.5, 1.6, 2 + int(3.0 * TIME[-1] / seconds)))
        ends = np.concatenate([[0.0], ends]) - rng.uniform(0.0, 0.5 * seconds)
        values = rng.normal(0.0, 1.0, (len(ends), count))
        i = (np.searchsorted(ends, TIME, side="right") - 1).clip(0, len(ends) - 2)
        waits = rng.uniform(0.0, wait + 1e-9, len(ends))[i]
        u = ease(((TIME - ends[i]) / (ends[i + 1] - ends[i]) - waits) / (1.0 - waits), kind)[:, None]
        take[:] = values[i] + u * (values[i + 1] - values[i])
    return out


def waves(rng: np.random.Generator, phase: np.ndarray, count: int, size: float = 1.0) -> np.ndarray:
    """Signals (TAKES, ROWS, count) that swing with a phase (TAKES, ROWS) in cycles, each with lags of its own."""
    first, second = rng.uniform(0.0, 1.0, (2, count))
    strength = size * rng.normal(0.0, 1.0, (2, count)) * [[1.0], [0.35]]
    angle = 2.0 * np.pi * phase[..., None]
    return np.asarray(strength[0] * np.sin(angle + 6.28 * first) + strength[1] * np.sin(2.0 * angle + 6.28 * second))


def bend(vectors: np.ndarray) -> Tensor:
    """Rotations (TAKES, ROWS, 4) of vectors (TAKES, ROWS, 3)."""
    return quat.exp(tensor(vectors))


def swung(start: Tensor, bone: Tensor, aim: Tensor) -> Tensor:
    """Rotations `start` (…, 4) and the least that brings `bone` (3,) to the direction `aim` (…, 3)."""
    now = quat.rotate(start, bone.expand(aim.shape))
    now, aim = (x / x.norm(dim=-1, keepdim=True).clamp_min(1e-9) for x in (now, aim))
    half = torch.cat([1.0 + (now * aim).sum(-1, keepdim=True), torch.linalg.cross(now, aim)], -1)
    return quat.multiply(quat.normalize(half), start)


# --- walkers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """Where a walker goes: root (TAKES, ROWS, 3) at ground level, yaw and phase (TAKES, ROWS)."""

    root: np.ndarray
    yaw: np.ndarray
    phase: np.ndarray


def stroll(rng: np.random.Generator, height: float) -> Way:
    """A way over the ground at a pace that changes, in steps about as long as the legs."""
    stride = height * rng.uniform(0.5, 1.2)
    pace = stride * rng.uniform(0.3, 2.0, (TAKES, 1))
    speed = pace * (1.0 + 0.45 * eased(rng, 1, 1.6)[..., 0]).clip(0.0, 1.8)
    yaw = np.cumsum(rng.uniform(0.1, 0.8) * eased(rng, 1, 1.2)[..., 0], 1) / RATE + rng.uniform(-3.1, 3.1, (TAKES, 1))
    phase = np.cumsum(0.05 + speed / stride, 1) / RATE + rng.uniform(0.0, 1.0, (TAKES, 1))
    ahead = np.stack([np.sin(yaw), 0.0 * yaw, np.cos(yaw)], -1)
    return Way(np.cumsum(ahead * speed[..., None], 1) / RATE, yaw, phase)


def turned_by(yaw: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A vector (3,) about the vertical by yaw (…)."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([c * v[0] + s * v[2], 0.0 * yaw + v[1], c * v[2] - s * v[0]], -1)


def footfalls(
    way: Way, hip: np.ndarray, stance: np.ndarray, late: float, duty: float, lift: float, kind: int
) -> np.ndarray:
    """A foot's way (TAKES, ROWS, 3): planted for the share `duty` of each cycle below where its hip (TAKES, ROWS, 3) is
    midway, off by `stance`."""
    under = hip + turned_by(way.yaw, stance)
    out = np.empty_like(under)
    for take in range(TAKES):
        phase = way.phase[take] + late
        cycle = np.floor(phase)
        middle = np.interp(np.arange(cycle[0] - 1, cycle[-1] + 3) + 0.5 * duty, phase, TIME)
        planted = np.stack([np.interp(middle, TIME, under[take, :, axis]) for axis in range(3)], 1)
        i = (cycle - cycle[0]).astype(int) + 1
        u = ((phase - cycle - duty) / (1.0 - duty)).clip(0.0, 1.0)
        out[take] = planted[i] + ease(u, kind)[:, None] * (planted[i + 1] - planted[i])
        goes = np.linalg.norm(planted[i + 1] - planted[i], axis=1)
        out[take, :, 1] = stance[1] + lift * np.sin(np.pi * u) ** (1.0 + kind) * (goes / (lift + 1e-6)).clip(0.0, 1.0)
    return out


def reach(points: list[Tensor], target: Tensor) -> list[Tensor]:
    """A limb's points (…, 3), brought to a target with bones as long as before (FABRIK)."""
    lengths = [(b - a).norm(dim=-1, keepdim=True) for a, b in itertools.pairwise(points)]
    top = sum(lengths) * SLACK
    way = target - points[0]
    far = way.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    target = points[0] + way * (torch.minimum(far, top) / far)
    for _ in range(10):
        back = [target]
        for point, length in zip(points[-2::-1], lengths[::-1], strict=True):
            off = point - back[-1]
            back.append(back[-1] + off * (length / off.norm(dim=-1, keepdim=True).clamp_min(1e-6)))
        aims = back[::-1]
        forth = [points[0]]
        for point, length in zip(aims[1:], lengths, strict=True):
            off = point - forth[-1]
            forth.append(forth[-1] + off * (length / off.norm(dim=-1, keepdim=True).clamp_min(1e-6)))
        points = forth
    return points


def leg_shape(
    rng: np.random.Generator, hip: np.ndarray, foot: np.ndarray, bones: int, sprawl: float
) -> list[np.ndarray]:
    """Where the joints of a leg are at rest, hip first."""
    shares = np.cumsum(rng.uniform(0.6, 1.4, bones))
    shares = np.concatenate([[0.0], shares / shares[-1]])
    pole = np.array([0.0, 0.0, rng.choice([-1.0, 1.0])])
    if sprawl > 0.4:
        pole = np.array([0.0, 1.0, 0.0])
    bow = np.linalg.norm(foot - hip) * rng.uniform(0.17, 0.32)
    points = []
    for k, share in enumerate(shares):
        side = 0.0 if k in (0, bones) else (1.0 if sprawl > 0.4 or bones == 2 else (-1.0) ** k)
        points.append(hip + share * (foot - hip) + side * bow * (1.5 if sprawl > 0.4 else 1.0) * pole)
    return points


def walk_leg(body: Body, top: int, points: list[np.ndarray], path: np.ndarray, yaw: np.ndarray, flat: bool) -> None:
    """A leg whose end follows a path, below the joint `top`, at which `points` are given in the body's own axes."""
    over = body.turned[top]
    start = body.places[top]
    rest = [start + quat.rotate(over, tensor(p).expand(*over.shape[:2], 3)) for p in points]
    bent = reach(rest, tensor(path))
    parent, before = top, np.zeros(3)
    for k, point in enumerate(points[:-1]):
        aim = bent[k + 1] - bent[k]
        turn = swung(body.turned[parent], tensor(points[k + 1] - point), aim)
        parent = body.add(parent, point - before, turn, world=True)
        before = point
    end = bend(np.stack([0 * yaw, yaw, 0 * yaw], -1)) if flat else body.turned[parent]
    body.add(parent, points[-1] - before, end, world=True)


def gait(rng: np.random.Generator, pairs: int) -> np.ndarray:
    """When each foot (pairs, 2) begins its cycle."""
    kind = rng.random()
    late = np.zeros((pairs, 2))
    for p in range(pairs):
        # Diagonals together (trot, tripod), one after another from behind (walk), sides together (pace), pairs (bound).
        late[p] = [0.5 * (p % 2), 0.5 * (1 - p % 2)] if kind < 0.4 else [p / (2 * pairs), 0.5 + p / (2 * pairs)]
        if 0.75 < kind < 0.85:
            late[p] = [0.0, 0.5]
        elif kind >= 0.85:
            late[p] = [0.45 * p, 0.45 * p + 0.08]
    return late + rng.normal(0.0, 0.02, late.shape)


def walker(rng: np.random.Generator) -> Body:
    """A creature on two to eight legs: spine, neck and head, sometimes a tail or arms."""
    pairs = int(rng.choice([1, 2, 2, 2, 2, 3, 4]))
    height, length = float(rng.uniform(0.4, 1.3)), float(rng.uniform(0.7, 1.8)) if pairs > 1 else 0.0
    way, kind = stroll(rng, height), int(rng.integers(2))
    duty = float(rng.uniform(0.5, 0.75))
    bounce = height * rng.uniform(0.0, 0.06) * np.sin(4.0 * np.pi * way.phase + rng.uniform(0, 6.28))
    crouch = height * rng.uniform(0.0, 0.12) * eased(rng, 1, 1.4)[..., 0]
    root = way.root + np.stack([0 * bounce, height + bounce - np.abs(crouch), 0 * bounce], -1)
    body = Body()
    forward = 1.0 if rng.random() < 0.75 else -1.0  # the root is the hips, or the chest
    sway = waves(rng, way.phase, 3, 0.05) + rng.uniform(0.0, 0.08) * eased(rng, 3, 1.0)
    body.places.append(tensor(root))
    body.add(-1, np.zeros(3), bend(np.stack([0 * way.yaw, way.yaw, 0 * way.yaw], -1) + 0 * sway))
    body.turned[0] = quat.multiply(body.turned[0], bend(sway))
    spine, bones = [0], int(rng.integers(1, 5))
    bow = rng.uniform(0.03, 0.15) * eased(rng, 3, 1.0) * [0.35 if pairs > 1 else 1.0, 1.0, 1.0]
    for _ in range(bones):
        step = (
            np.array([0.0, 0.0, forward * length / bones]) if pairs > 1 else np.array([0.0, 0.45 * height / bones, 0.0])
        )
        spine.append(body.add(spine[-1], step + rng.normal(0, 0.02, 3), bend(bow + waves(rng, way.phase, 3, 0.05))))
    late, flat, legs = gait(rng, pairs), bool(rng.random() < 0.6), int(rng.choice([2, 2, 3, 3, 4]))
    sprawl = float(rng.uniform(0.4, 1.2)) if pairs > 2 or rng.random() < 0.12 else 0.0
    width, lift = height * rng.uniform(0.1, 0.3), height * rng.uniform(0.08, 0.3)

    def steps(pair: int, side: float) -> tuple[float, float, float, int]:
        return float(late[pair, int(side > 0)]), duty, lift, kind

    shapes = [int(rng.integers(2**31)) for _ in range(pairs)]
    for p in range(pairs):
        joint = spine[round(p * (len(spine) - 1) / max(pairs - 1, 1))] if pairs > 1 else 0
        level = float(rng.uniform(-0.12, 0.0)) * height
        for side in (-1.0, 1.0):
            hip = np.array([side * width, level, 0.0])
            out = side * (width + sprawl * height)
            foot = np.array([out, -0.96 * height, 0.0])
            points = leg_shape(np.random.default_rng(shapes[p]), hip, foot, legs, sprawl)
            path = footfalls(way, body.places[joint].numpy(), np.array([out, 0.04 * height, 0.0]), *steps(p, side))
            walk_leg(body, joint, points, path, way.yaw, flat)
    front = spine[-1] if forward > 0 else spine[0]
    look = np.array([0.0, 0.25, 0.2]) * height if pairs > 1 else np.array([0.0, 0.15, 0.02]) * height
    grow(body, rng, front, look, int(rng.integers(1, 4)), rng.uniform(0.1, 0.35), way.phase)
    if rng.random() < 0.6:
        back = spine[0] if forward > 0 else spine[-1]
        grow(body, rng, back, np.array([0.0, 0.03, -0.2]) * height, int(rng.integers(2, 8)), 0.2, way.phase)
    if pairs == 1 or rng.random() < 0.1:
        for side in (-1.0, 1.0):
            hang = np.array([side * 0.18, -0.12 * rng.uniform(0, 1.5), 0.02]) * height
            grow(body, rng, front, hang, 3, float(rng.uniform(0.2, 0.6)), way.phase)
    return body


def grow(
    body: Body, rng: np.random.Generator, top: int, step: np.ndarray, bones: int, size: float, phase: np.ndarray
) -> None:
    """A limb that swings with the steps and looks about, each bone a little later than the one before."""
    own, lag = eased(rng, 3, float(rng.uniform(0.5, 1.5))), rng.uniform(0.0, 0.12)
    swing, rate = rng.normal(0.0, 0.6, 3), rng.uniform(0.4, 1.0) if rng.random() < 0.4 else 0.0
    for k in range(bones):
        cycle = (phase if rate == 0.0 else rate * TIME + 0 * phase) - lag * k
        top = body.add(top, step, bend(size * (own + swing * np.sin(2.0 * np.pi * cycle)[..., None])))
        step = step * rng.uniform(0.8, 1.0) + rng.normal(0.0, 0.03, 3) * np.linalg.norm(step)
        own = np.roll(own, int(60 * lag * 0.3), 1) if lag > 0.06 else own


# --- the others ------------------------------------------------------------------------------------------------------


def floating(rng: np.random.Generator, turn: float, travel: float) -> Body:
    """A first joint that is carried about."""
    body = Body()
    body.places.append(tensor(travel * eased(rng, 3, float(rng.uniform(0.6, 1.6)))))
    body.add(-1, np.zeros(3), bend(turn * eased(rng, 3, float(rng.uniform(0.6, 1.6)))))
    return body


def hand(rng: np.random.Generator) -> Body:
    """A palm with three to five digits that close together, one by one, or drum."""
    body = floating(rng, float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.0, 0.8)))
    palm = body.add(
        0, rng.normal(0.0, 1.0, 3) * rng.uniform(0.3, 2.0), bend(rng.uniform(0.1, 0.4) * eased(rng, 3, 0.8))
    )
    palm = palm if rng.random() < 0.7 else 0
    out, across = np.linalg.qr(rng.normal(0.0, 1.0, (3, 2)))[0].T
    hinge, digits, bones = np.cross(out, across), int(rng.integers(3, 6)), int(rng.choice([2, 3, 3, 4]))
    wait, shared = float(rng.uniform(0.0, 0.6)), rng.uniform(0.2, 1.0)
    grasp = eased(rng, 1, float(rng.uniform(0.5, 1.2)), wait=wait)
    beat = rng.uniform(0.0, 0.4) * np.sin(2.0 * np.pi * rng.uniform(1.0, 3.0) * TIME)[None, :, None] ** 2
    for d in range(digits):
        own = eased(rng, 1, float(rng.uniform(0.4, 1.2)), wait=wait)
        curl = rng.uniform(0.3, 0.7) * (
            shared * np.roll(grasp, 3 * d, 1) + (1.0 - shared) * own + np.roll(beat, 5 * d, 1)
        )
        spread = 0.1 * eased(rng, 1, 1.0)
        across_d = across * (d - digits / 2) * 0.25
        top, length, step = palm, float(rng.uniform(0.3, 0.5)), 0.9 * out + across_d
        axis = hinge if d else hinge + rng.normal(0.0, 0.6, 3)
        for k in range(bones):
            turn = -curl.clip(-0.4) * axis / np.linalg.norm(axis) * rng.uniform(0.6, 1.1)
            top = body.add(top, step, bend(turn + (spread * out if k == 0 else 0.0)))
            step, length = (out + 0.3 * across_d) * length, length * 0.8
    return body


def chain(rng: np.random.Generator) -> Body:
    """A snake, tail or tentacle: waves that travel along it, bows that pass, one after another."""
    body, bones = floating(rng, float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.0, 0.7))), int(rng.integers(4, 16))
    step, rate = rng.normal(0.0, 1.0, 3), rng.uniform(0.3, 1.8)
    step = step / np.linalg.norm(step) * 3.0 / bones
    axes, along = rng.normal(0.0, 1.0, (2, 3)), rng.uniform(0.0, 0.25)
    strength = (1.0 + 0.7 * eased(rng, 1, 1.2)).clip(0.0) * rng.uniform(0.0, 0.35)
    bow, lag, top = eased(rng, 3, float(rng.uniform(0.5, 1.2))), int(rng.integers(0, 6)), 0
    cycle = np.cumsum(rate * (1.0 + 0.3 * eased(rng, 1, 1.5)[..., 0]), 1) / RATE
    for k in range(bones):
        angle = 2.0 * np.pi * (cycle - along * k)[..., None]
        wave = strength * (axes[0] * np.sin(angle) + 0.4 * axes[1] * np.cos(angle))
        late = np.concatenate([np.repeat(bow[:, :1], lag * k, 1), bow], 1)[:, :ROWS] if lag else bow
        top = body.add(top, step, bend(wave + late * (1.2 / bones) * (k + 1) / bones))
    return body


def machine(rng: np.random.Generator) -> Body:
    """Axes that stand square to one another and drive from pose to pose, all at once or each by itself, with waits."""
    body, joints = Body(), int(rng.integers(4, 9))
    body.places.append(torch.zeros(TAKES, ROWS, 3))
    kind, seconds, wait = int(rng.integers(4)), float(rng.uniform(0.5, 1.8)), float(rng.uniform(0.0, 0.6))
    together = eased(rng, joints, seconds, kind, wait)
    branch = int(rng.integers(1, joints)) if rng.random() < 0.3 else 0
    for j in range(joints):
        signal = together[..., j : j + 1] if rng.random() < 0.8 else eased(rng, 1, seconds, kind, wait)
        axis = np.eye(3)[int(rng.integers(3))]
        step = np.eye(3)[int(rng.integers(3))] * rng.uniform(0.1, 1.0)
        parent = j - 1 if j != branch or j == 0 else 0
        body.add(parent, step if j else np.zeros(3), bend(rng.uniform(0.3, 1.0) * signal * axis))
    return body


MAKERS: list[tuple[float, Callable[[np.random.Generator], Body]]] = [
    (0.5, walker), (0.2, hand), (0.15, chain), (0.15, machine)
]  # fmt: skip


def natural(body: Body) -> bool:
    """Whether no limb snaps, as one does that cannot reach where it is sent."""
    turned = torch.stack(body.turned, 2)
    step = (turned[:, 1:] * turned[:, :-1]).sum(-1).abs().clamp(max=1.0).acos().flatten() * 2.0 * RATE
    return float(step.kthvalue(int(0.998 * len(step))).values) < TOP_SPEED


def make(rng: np.random.Generator) -> tuple[Tensor, Tensor, np.ndarray, list[int]]:
    """One rig and its takes: rotations (TAKES, ROWS, J, 4), root (TAKES, ROWS, 3), offsets (J, 3), parents."""
    maker = MAKERS[int(rng.choice(len(MAKERS), p=[share for share, _ in MAKERS]))][1]
    while not natural(body := maker(rng)):
        pass
    order = np.argsort(skeleton.depths(body.parents), kind="stable")
    place = {int(j): i for i, j in enumerate(order)} | {-1: -1}
    parents = [place[body.parents[j]] for j in order]
    turned = torch.stack([body.turned[j] for j in order], 2)
    facing = quat.exp(tensor(np.array([0.0, rng.uniform(-3.1, 3.1) if rng.random() < 0.5 else 0.0, 0.0])))
    turned = quat.multiply(turned, quat.conjugate(facing).expand(turned.shape))
    offsets = quat.rotate(facing.expand(len(order), 4), tensor(np.stack([body.offsets[j] for j in order])))
    return skeleton.local_rotations(turned, parents), body.places[0], offsets.numpy(), parents
