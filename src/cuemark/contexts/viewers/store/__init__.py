"""All the SQL of the viewers, a file for each way in which it is read.

Every table begins with the profile: what is asked for is one profile's rows, by title or by time.
A row that was changed has the transaction (``xid``) that did it, by which ``changes`` reads on.
"""

SCHEMA = "viewers"
