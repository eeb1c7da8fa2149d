"""A public record: the forecasts that everyone may see, as files that a stranger can check."""
