"""Runs inside Blender: saves a small walker with three poses, in Pose Mode. The path is the last argument."""

import random
import sys

import bpy

BONES = {
    "hip": ("", (0, 0, 1), (0, 0, 1.3)),
    "spine": ("hip", (0, 0, 1.3), (0, 0, 1.7)),
    "head": ("spine", (0, 0, 1.7), (0, 0, 2)),
}
for side, x in (("L", 1), ("R", -1)):
    BONES[f"thigh.{side}"] = ("hip", (0.15 * x, 0, 1), (0.15 * x, -0.05, 0.55))
    BONES[f"shin.{side}"] = (f"thigh.{side}", (0.15 * x, -0.05, 0.55), (0.15 * x, 0, 0.1))
    BONES[f"arm.{side}"] = ("spine", (0.2 * x, 0, 1.65), (0.65 * x, 0, 1.5))

bpy.data.objects.remove(bpy.data.objects["Cube"])
data = bpy.data.armatures.new("Rig")
rig = bpy.data.objects.new("Rig", data)
bpy.context.scene.collection.objects.link(rig)
bpy.context.view_layer.objects.active = rig
rig.select_set(True)
bpy.ops.object.mode_set(mode="EDIT")
for name, (parent, head, tail) in BONES.items():
    bone = data.edit_bones.new(name)
    bone.head, bone.tail, bone.parent = head, tail, data.edit_bones.get(parent)
bpy.ops.object.mode_set(mode="POSE")
dice = random.Random(3)
for frame in (1, 14, 30):
    for bone in rig.pose.bones:
        bone.rotation_quaternion = (1, *(dice.uniform(-0.5, 0.5) for _ in range(3)))
        bone.keyframe_insert("rotation_quaternion", frame=frame)
    rig.pose.bones["hip"].location = (frame / 30, 0, dice.uniform(-0.1, 0.1))
    rig.pose.bones["hip"].keyframe_insert("location", frame=frame)
bpy.context.scene.frame_set(7)
bpy.ops.pose.select_all(action="SELECT")
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
