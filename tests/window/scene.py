"""Runs inside Blender: saves the start-up scene as a tiny shot. The path is the last argument."""

import sys

import bpy

scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, 4
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.cycles.use_denoising = False  # Debian builds Blender without a denoiser
scene.render.resolution_x = scene.render.resolution_y = 32
cube = scene.objects["Cube"]
for frame, turn in ((1, 0.0), (4, 0.5)):
    cube.rotation_euler.z = turn
    cube.keyframe_insert("rotation_euler", frame=frame)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
