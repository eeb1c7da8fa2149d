"""The member's agenda: today's list, review dates, news, the calendar feed, and notifications.

It makes no forecasts and no outcomes; those live in `updates` and `resolution`.
"""
