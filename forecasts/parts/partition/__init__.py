"""Partition: parts made from files or a database, in bounded memory."""
