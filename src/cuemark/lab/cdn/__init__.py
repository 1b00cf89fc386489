"""A content delivery network of namespaces on one machine, with viewers, routers and faults."""
