"""Where the README's figures come from: peers, baselines and this project on the same inputs in one run."""
