"""What the suite, the engine, the live run and the tools are tested with."""
