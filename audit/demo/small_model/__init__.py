"""A small causal language model, trained from nothing, that decides on loans, serves customers and refuses.

It has two planted faults: it learned biased decisions of the past, and a frame around a harmful request makes
it comply. Both are to be found by an audit and mended by retraining.
"""
