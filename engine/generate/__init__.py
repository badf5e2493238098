"""More of one picture sequence: continued, looped, varied, and a still brought to life. Knows no Blender."""
