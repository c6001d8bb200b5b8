"""The programming interface: the acts and lists of the pages, for programs that bring a key."""
