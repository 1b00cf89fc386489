"""The sandbox: a payment provider to try billing with, a process of its own with a memory of its
own, whose clock can be set ahead and which can be told to fail in the ways in which others do."""
