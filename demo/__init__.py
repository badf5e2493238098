"""The demo: a small shot that scripts author, render, paint, and hand to Understudy. Knows neither half from the inside."""
