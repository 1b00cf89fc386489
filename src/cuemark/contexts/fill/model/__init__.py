"""The decisions of fill, pure: forecast, plan, placement within a cluster, windows, reasons."""
