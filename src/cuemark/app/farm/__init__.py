"""Workers on other hosts: what they are given, what they may do, how they are run."""
