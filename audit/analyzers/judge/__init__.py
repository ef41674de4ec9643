"""A second model as rater, under a rubric that is fixed."""
