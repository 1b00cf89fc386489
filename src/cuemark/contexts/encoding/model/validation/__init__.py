"""What a version must be before it is published: checks that decide, on facts read elsewhere."""
