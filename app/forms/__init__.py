"""Forms that submit one verb each. Pages place them."""
