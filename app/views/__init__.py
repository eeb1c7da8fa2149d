"""Parts of pages that only show something. They submit nothing."""
