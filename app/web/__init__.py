"""What happens before a page: sign-in middleware, identity, the calendar feed.

Pages never import it.
"""
