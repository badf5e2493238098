"""Lessons for the base of the stylist: random shots with random painters, made from nothing but numbers. A package for training
the base alone; no job of the engine uses it."""

from engine.stylise.lessons.lesson import Frame, Lesson, make_lesson

__all__ = ["Frame", "Lesson", "make_lesson"]
