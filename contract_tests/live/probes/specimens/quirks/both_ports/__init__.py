"""What the naive port and the faithful one have word for word: handlers, and the answers they give.

The two differ in what stands around these: the paths, the route classes and the middlewares.
"""
