"""One app three times, full of what Flask and FastAPI answer differently: the original, a naive port, a faithful one.

An area is a module of one name in each of the three packages, with the same routes and handler names, all below
`/<area>/`. `original` has a `blueprint`, `naive` and `ported` a `router`; a module may have `install(app)` for what an
app needs besides its routes. No clock, no chance, and no file but in the folder that an app is given.
"""
