"""Painted keys of a shot → every frame painted: a conditional GAN trained from scratch on the shot itself, fed with the guides
and with the key's paint carried over by the surface anchor. It knows job folders and arrays, nothing of Blender."""
