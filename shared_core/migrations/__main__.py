"""`python -m shared_core.migrations` migrates the configured database."""

from shared_core.migrations import main

if __name__ == "__main__":
    main()
