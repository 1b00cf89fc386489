"""The decisions of the catalog: what may be told of works, and how it is told to a reader."""
