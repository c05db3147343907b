"""The survey of a Flask code base: each module is read alone and kept, then names are followed across modules.

files -> summary (one module) -> reading (all cores, cache) -> modules, values (names) -> routes, calls, uses -> survey
"""
