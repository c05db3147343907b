"""The survey of a Flask code base: what each module says is kept by its content, then names are followed across modules.

files -> summary (a module alone) -> reading (both cores, cache) -> modules, values (names) -> routes, calls, uses -> survey
"""
