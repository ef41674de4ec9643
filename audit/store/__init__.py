"""The run store: one SQLite file in the run's folder that holds prompts, outputs and scores.

`store.Store` is the one entry for writing and for reading row by row; `batches.BatchBook` keeps what was
handed to a provider, `replies.read_replies` reads whole texts. The rest are their parts: the file and its
lock, its tables and their versions, the order of asking, reading in bulk, writing rows.
"""
