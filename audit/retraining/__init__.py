"""From findings to retraining files, and from files to a target that learned from them.

`write_retraining_files` in `audit.retraining.writing` is the one entry.
"""
