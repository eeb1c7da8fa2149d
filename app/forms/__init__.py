"""Forms that submit one verb each. The pages that place them live in ``app_pages``."""
