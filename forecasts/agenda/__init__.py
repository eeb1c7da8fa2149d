"""What is due for a member: today's list, review dates, news, calendars, notifications.

It reads and stores no forecast.
"""
