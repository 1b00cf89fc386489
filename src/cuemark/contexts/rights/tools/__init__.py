"""EMA Avails: windows as studios tell them, in and out."""
