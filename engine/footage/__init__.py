"""Frames without guides → the guides that can be made from the pictures alone: optical flow, carried from frame to frame as
anchors, so that footage is trained on and stylised like a captured shot. Knows job folders and arrays, nothing of Blender."""
