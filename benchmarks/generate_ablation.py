"""What each part of the generator is worth: the continuation with that part left out, held against the true one.

    python3 -m benchmarks.generate_ablation [--effects flame gears] [--size 128] [--frames 60] [--times 5] [--steps 120]
        [--out build/bench/generate_ablation]

One training with critics and one without, of equally many steps; the rest is left out when playing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks import effects, generate_scores, generate_sheets
from benchmarks.generate import CACHE, premultiplied, told
from benchmarks.generate_scores import SOON, over_grey
from benchmarks.generate_sheets import Table
from benchmarks.generate_times import finish
from engine import checkpoint, device, job_folder, protocol
from engine.generate import paths, train
from engine.generate.clip import make_clip
from engine.generate.networks import NetworkParams, Networks
from engine.generate.play import Player, expectations, play
from engine.generate.sequence import Sequence
from engine.generate.training import AHEAD

COLUMNS = {
    "PSNR 8": ".2f",
    "JOD 8": ".2f",
    "sharpness 12": ".2f",
    "FD frames": ".2f",
    "FD changes": ".2f",
    "leaps": ".2f",
}
NOTES = """Rows: all parts; trained without critics; the generator untrained, so that leads are cut but neither turned nor
chosen by it; the predictor untrained, so that the last flow goes on; latent motion that goes on straight instead of by the LSTM;
and leaps to what looked alike, whatever comes. Leaps: how badly the leaps fit, in steps between neighbours, by what came."""


def learned(tones: np.ndarray, critics: bool, home: Path, steps: int) -> Player:
    """A player of networks that were trained with critics, or without."""
    pictures = torch.from_numpy(np.ascontiguousarray(tones.transpose(0, 3, 1, 2))).half()
    sequence = Sequence(list(range(1, len(tones) + 1)), pictures, False, "8", False, f"critics {critics}")
    clip = make_clip(pictures, train.PARAMS.latent)
    usual = train.ADVERSARIAL
    train.ADVERSARIAL = usual if critics else 0.0
    finish(train.learn(home, sequence, clip, protocol.LearnSequence(seconds=0, steps=steps, device="cpu")))
    train.ADVERSARIAL = usual
    networks = checkpoint.restore(checkpoint.load(home / train.NETWORK, NetworkParams), Networks)
    return Player(pictures, clip, networks.eval(), device.choose("cpu"))


def without(player: Player, part: str) -> Player:
    """The same with one network as it is before training."""
    torch.manual_seed(0)
    networks, fresh = Networks(train.PARAMS), Networks(train.PARAMS)
    networks.load_state_dict(player.networks.state_dict())
    getattr(networks, part).load_state_dict(getattr(fresh, part).state_dict())
    return Player(player.pictures, player.clip, networks.eval(), player.device)


def straight(latent: np.ndarray, ahead: int) -> np.ndarray:
    """(T, ahead, D): latent motion that goes on as it last went."""
    steps = np.diff(latent, axis=0, prepend=latent[:1])
    return np.stack([latent + h * steps for h in range(1, ahead + 1)], 1)


def continued(player: Player, expected: np.ndarray | None, count: int) -> tuple[np.ndarray, float]:
    """(count, H, W, 3) over grey; and how badly its leaps fit, by what truly came after."""
    latent = player.clip.latent
    lead = paths.longest_lead(len(latent))
    cost = paths.leaps(latent, player.clip.apart, expected)
    plan = paths.wander(cost, count, len(latent) - 1, np.random.default_rng(0), lead, 0.5)
    frames = torch.stack([picture for stretch in plan for picture in play(player, stretch)])
    misfits = []
    for stretch in plan[1:]:
        ahead = min(SOON, len(latent) - 1 - stretch.leave, stretch.length)
        came, played = latent[stretch.leave + 1 :][:ahead], latent[stretch.begin :][:ahead]
        misfits.append(np.linalg.norm(came - played, axis=1).mean())
    return over_grey(frames.numpy().transpose(0, 2, 3, 1)), float(np.mean(misfits))


def ask(name: str, args: argparse.Namespace) -> Table:
    """Every variant of one effect."""
    length, count = args.frames, args.frames * args.times
    tones = premultiplied(effects.clip(name, length + 2 * count, args.size, 0, CACHE))
    flat = over_grey(tones)
    truth, other = flat[length : length + count], flat[length + count :]
    later = generate_scores.Later(truth[SOON:], other[: count - SOON])
    told(name, "learning, twice")
    whole, plain = (learned(tones[:length], on, args.out / f"{name}_{on}", args.steps) for on in (True, False))
    expected = expectations(whole)
    variants = {
        "all": (whole, expected),
        "no critics": (plain, expectations(plain)),
        "no generator": (without(whole, "generator"), expected),
        "no predictor": (without(whole, "predictor"), expected),
        "straight, no LSTM": (whole, straight(whole.clip.latent, min(AHEAD, paths.longest_lead(length)))),
        "nearest, no LSTM": (whole, None),
    }
    table: Table = {}
    for label, (player, guess) in variants.items():
        told(name, label)
        test, misfit = continued(player, guess, count)
        table[label] = generate_scores.soon(test, truth) | later.score(test[SOON:]) | {"leaps": misfit}
        generate_sheets.leads(truth, test, args.out / f"{name}_{label.replace(', ', '_').replace(' ', '_')}.jpg")
    return table


def main() -> None:
    """Write what is done after each effect."""
    parser = argparse.ArgumentParser(prog="benchmarks.generate_ablation")
    parser.add_argument("--effects", nargs="+", choices=list(effects.EFFECTS), default=["flame", "gears"])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--out", type=Path, default=Path("build/bench/generate_ablation"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Table] = {}
    lines = [f"# What each part of Generate is worth, {args.steps} steps of training", "", NOTES, ""]
    for name in args.effects:
        report[name] = ask(name, args)
        job_folder.write_json(args.out / "generate_ablation.json", report)
        lines += generate_sheets.lines_of(report[name], COLUMNS, name)
        (args.out / "generate_ablation.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
