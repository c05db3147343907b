"""Each source makes the same plain cases from what is known of two apps; one runner runs them all."""
