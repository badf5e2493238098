"""The command line: `python -m engine run | serve | train | bench`. Arguments only; it imports
nothing that is not asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

# Each of these modules has add_arguments(parser) and main(args) -> int.
TRAIN = {
    "inbetween": "engine.motion.train_inbetween",
    "extrapolate": "engine.motion.train_extrapolate",
    "outlook": "engine.motion.train_outlook",
    "blend": "engine.motion.train_blend",
    "footing": "engine.motion.train_footing",
    "style": "engine.stylise.train_base",
}
BENCH = {
    "motion": "engine.motion.bench",
    "prediction": "engine.motion.bench_prediction",
    "long": "engine.motion.bench_long",
    "lafan1": "engine.motion.bench_lafan1",
}


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine", description="Understudy's engine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the job in a job folder")
    run.add_argument("folder", type=Path, metavar="JOB_FOLDER")
    commands.add_parser("serve", help="take jobs on stdin and answer on stdout (what Blender starts)")
    for command, modules, what in (("train", TRAIN, "train a network"), ("bench", BENCH, "score a network")):
        sub = commands.add_parser(command, help=what)
        sub.add_argument("name", choices=modules)
        sub.add_argument("rest", nargs=argparse.REMAINDER, help="its own arguments; see NAME --help")
    args = parser.parse_args(argv)

    if args.command == "run":
        from engine.run import run as run_job

        return run_job(args.folder)
    if args.command == "serve":
        from engine.serve import serve

        serve()
        return 0
    module = importlib.import_module({"train": TRAIN, "bench": BENCH}[args.command][args.name])
    own = argparse.ArgumentParser(prog=f"{parser.prog} {args.command} {args.name}", description=module.__doc__)
    module.add_arguments(own)
    code: int = module.main(own.parse_args(args.rest))
    return code


if __name__ == "__main__":
    sys.exit(main())
