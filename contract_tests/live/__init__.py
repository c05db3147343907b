"""The live run: both apps on real servers, under the suite, raw probes, faults and load."""
