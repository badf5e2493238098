"""Understudy's engine: a GAN for pictures, LSTMs for motion, in a process of its own. It knows PyTorch and never bpy."""
