"""Parts of pages that only show something. Forms that submit a verb live in ``forms``."""
