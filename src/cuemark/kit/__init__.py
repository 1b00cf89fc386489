"""What every room stands on: link, log, clock, ids, tracing. It knows no film words."""
