"""Two short articles that tests cut, join and surround."""

FISH = (
    "Fishing crews along the western coast have stopped landing mackerel after a quota dispute.",
    "The government gave Brega until August 15 to withdraw its patrol boats from the banks.",
    "“We have run out of patience,” the minister told parliament, which had asked for a date.",
)
COURT = (
    "A court in Ostland has ordered the broadcaster to rehire eleven journalists by the autumn.",
    "The broadcaster has 30 days to appeal, and its lawyer said that it would do so this week.",
)
