"""Where, when and under which licence a title may be shown and played."""
