"""A bookkeeping API with a careful port: everything was closed but a dozen subtle faults."""
