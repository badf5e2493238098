"""Motion: the frames between keys and the frames after the last one, for any rig. Knows arrays, not Blender."""
