"""Reports and comparisons on a folder of parts, in bounded memory."""
