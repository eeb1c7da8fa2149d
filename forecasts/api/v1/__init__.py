"""The API's own resources, under /api/v1: questions, forecasts, articles, outcomes, records."""
